import { describe, expect, test, vi } from "vitest";
import { keepListening } from "../src/panel/state/lateModel";
import type { PanelModel } from "../src/panel/state/protocol";

type Message = { content: { data: { method: string } } };

/** A model as ipywidgets has it, in which anywidget's class waits until its widget is ready. */
function models(ready: Promise<void>) {
  const taken: string[] = [];
  class Base {
    comm = { on_msg: vi.fn<(callback: (message: Message) => unknown) => void>() };
    constructor(readonly facts: object) {}
    get() {
      return this.facts;
    }
    async _handle_comm_msg({ content }: Message): Promise<void> {
      if (content.data.method) taken.push(content.data.method);
    }
  }
  class Any extends Base {
    override async _handle_comm_msg(message: Message) {
      await ready;
      return super._handle_comm_msg(message);
    }
  }
  const own = new Any({});
  const widget_manager = {
    _models: { other: Promise.resolve(new Any({})), gone: Promise.reject(new Error()), own },
  };
  widget_manager._models.gone.catch(() => undefined);
  const model = { get: () => own.facts, widget_manager } as unknown as PanelModel;
  return { model, own, taken };
}

describe("the kernel's messages for a panel", () => {
  test("are anywidget's to hand on while it has not given up", async () => {
    const { model, own } = models(Promise.resolve());
    expect(await keepListening(model)).toBe(false);
    expect(own.comm.on_msg).not.toHaveBeenCalled();
  });
  test("go past it after that", async () => {
    const late = Promise.reject(new Error("[anywidget] Failed to initialize model."));
    late.catch(() => undefined);
    const { model, own, taken } = models(late);
    expect(await keepListening(model)).toBe(true);
    await own.comm.on_msg.mock.calls[0]![0]({ content: { data: { method: "custom" } } });
    expect(taken).toEqual(["custom"]);
  });
});
