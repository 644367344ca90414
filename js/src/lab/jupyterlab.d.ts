// The parts of JupyterLab that these plugins use, and nothing else: JupyterLab's own types would bring three hundred
// packages into every build. `make check-lab-types` compiles the plugins against the real ones of 4.4 and of the newest.

declare module "@lumino/coreutils" {
  export type JSONValue = null | boolean | number | string | JSONValue[] | JSONObject;
  export interface JSONObject {
    [key: string]: JSONValue;
  }
  export class Token<T> {
    constructor(name: string, description?: string);
    readonly name: string;
    private readonly _type: T;
  }
}

declare module "@lumino/signaling" {
  export interface ISignal<Sender, Args> {
    connect(slot: (sender: Sender, args: Args) => void): boolean;
    disconnect(slot: (sender: Sender, args: Args) => void): boolean;
  }
  export class Signal<Sender, Args> implements ISignal<Sender, Args> {
    constructor(sender: Sender);
    connect(slot: (sender: Sender, args: Args) => void): boolean;
    disconnect(slot: (sender: Sender, args: Args) => void): boolean;
    emit(args: Args): void;
  }
}

declare module "@lumino/messaging" {
  export interface Message {
    readonly type: string;
  }
  export namespace MessageLoop {
    function installMessageHook(
      handler: object,
      hook: (handler: object, msg: Message) => boolean,
    ): void;
    function removeMessageHook(
      handler: object,
      hook: (handler: object, msg: Message) => boolean,
    ): void;
  }
}

declare module "@lumino/widgets" {
  import type { Message } from "@lumino/messaging";
  import type { ISignal } from "@lumino/signaling";
  export class Widget {
    constructor(options?: { node?: HTMLElement });
    readonly node: HTMLElement;
    id: string;
    readonly title: { label: string; caption: string; icon: unknown };
    readonly isDisposed: boolean;
    readonly isVisible: boolean;
    readonly isAttached: boolean;
    readonly disposed: ISignal<this, void>;
    addClass(name: string): void;
    removeClass(name: string): void;
    activate(): void;
    close(): void;
    dispose(): void;
    protected onAfterShow(msg: Message): void;
    protected onBeforeHide(msg: Message): void;
    protected onAfterAttach(msg: Message): void;
    protected onBeforeDetach(msg: Message): void;
    protected onActivateRequest(msg: Message): void;
  }
}

declare module "@jupyterlab/services" {
  import type { JSONObject } from "@lumino/coreutils";
  import type { ISignal } from "@lumino/signaling";
  export namespace ServerConnection {
    interface ISettings {
      readonly baseUrl: string;
    }
    function makeRequest(url: string, init: RequestInit, settings: ISettings): Promise<Response>;
  }
  export namespace Kernel {
    interface IKernelConnection {
      readonly id: string;
      readonly status: string;
      dispose(): void;
      requestExecute(
        content: {
          code: string;
          silent?: boolean;
          store_history?: boolean;
          user_expressions?: JSONObject;
        },
        disposeOnDone?: boolean,
      ): { readonly done: Promise<{ content: unknown }>; dispose(): void };
    }
    interface IManager {
      shutdown(id: string): Promise<void>;
      shutdownAll(): Promise<void>;
      connectTo(options: { model: { id: string; name: string } }): IKernelConnection;
    }
  }
  export namespace Session {
    interface IManager {
      shutdown(id: string): Promise<void>;
      shutdownAll(): Promise<void>;
      running(): IterableIterator<{ id: string; kernel: { id: string } | null }>;
    }
  }
  export namespace ServiceManager {
    interface IManager {
      readonly serverSettings: ServerConnection.ISettings;
      readonly kernels: Kernel.IManager;
      readonly sessions: Session.IManager;
    }
  }
}

declare module "@lumino/commands" {
  import type { JSONObject } from "@lumino/coreutils";
  import type { VirtualElement } from "@lumino/virtualdom";
  export namespace CommandRegistry {
    type Arguments = Record<string, unknown>;
    interface ICommandOptions {
      label?: string | ((args: Arguments) => string);
      caption?: string;
      describedBy?: { args: JSONObject };
      icon?: VirtualElement.IRenderer;
      isEnabled?: (args: Arguments) => boolean;
      execute: (args: Arguments) => unknown;
    }
  }
}

declare module "@lumino/virtualdom" {
  export namespace VirtualElement {
    interface IRenderer {
      render(host: HTMLElement): void;
    }
  }
}

declare module "@jupyterlab/application" {
  import type { CommandRegistry } from "@lumino/commands";
  import type { Token } from "@lumino/coreutils";
  import type { Widget } from "@lumino/widgets";
  import type { ISignal } from "@lumino/signaling";
  import type { ServiceManager } from "@jupyterlab/services";
  export interface JupyterFrontEnd {
    readonly name: string;
    readonly restored: Promise<unknown>;
    readonly serviceManager: ServiceManager.IManager;
    readonly shell: {
      readonly currentWidget: Widget | null;
      readonly currentChanged?: ISignal<unknown, unknown>;
      add(widget: Widget, area: string, options?: { rank?: number; type?: string }): void;
      activateById(id: string): void;
    };
    readonly commands: {
      addCommand(id: string, options: CommandRegistry.ICommandOptions): void;
      execute(id: string, args?: object): Promise<unknown>;
      hasCommand(id: string): boolean;
      notifyCommandChanged(id?: string): void;
    };
  }
  export interface JupyterFrontEndPlugin<T> {
    id: string;
    description: string;
    autoStart: boolean;
    requires?: Token<unknown>[];
    optional?: (Token<unknown> | undefined)[];
    provides?: Token<T>;
    activate: (app: JupyterFrontEnd, ...services: never[]) => T;
  }
  export interface ILayoutRestorer {
    add(widget: Widget, name: string): void;
  }
  export const ILayoutRestorer: Token<ILayoutRestorer>;
}

declare module "@jupyterlab/apputils" {
  import type { Token } from "@lumino/coreutils";
  import type { Widget } from "@lumino/widgets";
  import type { Kernel } from "@jupyterlab/services";
  import type { ISignal } from "@lumino/signaling";
  export interface ICommandPalette {
    addItem(item: { command: string; category: string; args?: object }): unknown;
  }
  export const ICommandPalette: Token<ICommandPalette>;
  export interface ISessionContext {
    readonly isDisposed: boolean;
    readonly session: { readonly kernel: Kernel.IKernelConnection | null } | null;
    readonly kernelChanged: ISignal<unknown, unknown>;
    readonly kernelPreference: { readonly shutdownOnDispose?: boolean };
    restartKernel(): Promise<void>;
    shutdown(): Promise<void>;
    changeKernel(options?: object): Promise<unknown>;
  }
  export interface ISessionContextDialogs {
    restart(context: ISessionContext, options?: object): Promise<boolean>;
  }
  export const ISessionContextDialogs: Token<ISessionContextDialogs>;
  export namespace Notification {
    type Type = "info" | "success" | "warning" | "error";
    interface Action {
      label: string;
      caption?: string;
      displayType?: "default" | "accent" | "warn" | "link";
      callback: (event: MouseEvent) => void;
    }
    interface Options {
      autoClose?: number | false;
      actions?: Action[];
    }
    function emit(message: string, type: Type, options?: Options): string;
    function dismiss(id: string): void;
  }
  export namespace Dialog {
    interface IButton {
      label: string;
      accept: boolean;
    }
    function cancelButton(options?: { label?: string; ariaLabel?: string }): IButton;
    function okButton(options?: { label?: string; ariaLabel?: string; caption?: string }): IButton;
    function warnButton(options?: {
      label?: string;
      ariaLabel?: string;
      caption?: string;
    }): IButton;
    interface IBodyWidget<T> extends Widget {
      getValue?(): T;
    }
    interface IOptions<T> {
      title: string;
      body: string | IBodyWidget<T>;
      buttons: IButton[];
      defaultButton?: number;
      hasClose?: boolean;
    }
  }
  export class Dialog<T> extends Widget {
    constructor(options?: Partial<Dialog.IOptions<T>>);
    launch(): Promise<{ button: Dialog.IButton; isChecked: boolean | null }>;
  }
}

declare module "@jupyterlab/notebook" {
  import type { Token } from "@lumino/coreutils";
  import type { Widget } from "@lumino/widgets";
  import type { ISignal } from "@lumino/signaling";
  import type { ISessionContext } from "@jupyterlab/apputils";
  interface NotebookCell {
    readonly node: HTMLElement;
    readonly model: {
      readonly type: string;
      readonly sharedModel: { setSource(source: string): void; getSource(): string };
    };
  }
  export interface Notebook {
    readonly activeCell: NotebookCell | null;
    readonly widgets: readonly NotebookCell[];
    readonly model: unknown;
    readonly node: HTMLElement;
    activeCellIndex: number;
    scrollToItem(index: number, align?: "center"): Promise<void>;
    deselectAll(): void;
  }
  export interface NotebookPanel extends Widget {
    readonly content: Notebook;
    readonly context: {
      readonly path: string;
      readonly ready: Promise<void>;
      readonly pathChanged: ISignal<unknown, unknown>;
    };
    readonly sessionContext: ISessionContext;
  }
  export interface INotebookTracker {
    readonly currentWidget: NotebookPanel | null;
    readonly currentChanged: ISignal<unknown, unknown>;
    readonly widgetAdded: ISignal<unknown, NotebookPanel>;
    forEach(each: (panel: NotebookPanel) => void): void;
  }
  export const INotebookTracker: Token<INotebookTracker>;
  export namespace NotebookActions {
    function insertBelow(notebook: Notebook): void;
    function changeCellType(notebook: Notebook, value: "code"): void;
    function run(notebook: Notebook, context?: ISessionContext): Promise<boolean>;
  }
}

declare module "@jupyterlab/launcher" {
  import type { Token } from "@lumino/coreutils";
  export interface ILauncher {
    add(item: { command: string; category?: string; rank?: number; args?: object }): unknown;
  }
  export const ILauncher: Token<ILauncher>;
}

declare module "@jupyterlab/statusbar" {
  import type { Token } from "@lumino/coreutils";
  import type { Widget } from "@lumino/widgets";
  import type { ISignal } from "@lumino/signaling";
  export interface IStatusBar {
    registerStatusItem(
      id: string,
      item: {
        item: Widget;
        align?: "left" | "middle" | "right";
        rank?: number;
        priority?: number;
        isActive?: () => boolean;
        activeStateChanged?: ISignal<unknown, void>;
      },
    ): unknown;
  }
  export const IStatusBar: Token<IStatusBar>;
}

declare module "@jupyterlab/settingregistry" {
  import type { Token } from "@lumino/coreutils";
  import type { ISignal } from "@lumino/signaling";
  export interface ISettingRegistry {
    load(plugin: string): Promise<ISettingRegistry.ISettings>;
  }
  export namespace ISettingRegistry {
    interface ISettings {
      readonly composite: Record<string, unknown>;
      readonly changed: ISignal<unknown, unknown>;
    }
  }
  export const ISettingRegistry: Token<ISettingRegistry>;
}

declare module "@jupyterlab/rendermime-interfaces" {
  import type { Widget } from "@lumino/widgets";
  export namespace IRenderMime {
    interface IMimeModel {
      readonly data: Record<string, unknown>;
    }
    interface IRenderer extends Widget {
      renderModel(model: IMimeModel): Promise<void>;
    }
  }
}

declare module "@jupyterlab/rendermime" {
  import type { Token } from "@lumino/coreutils";
  import type { IRenderMime } from "@jupyterlab/rendermime-interfaces";
  export interface IRenderMimeRegistry {
    createRenderer(mimeType: string): IRenderMime.IRenderer;
    clone(options?: object): IRenderMimeRegistry;
  }
  export const IRenderMimeRegistry: Token<IRenderMimeRegistry>;
}

declare module "@jupyterlab/translation" {
  import type { Token } from "@lumino/coreutils";
  export interface TranslationBundle {
    gettext(msgid: string, ...args: string[]): string;
    ngettext(msgid: string, plural: string, n: number, ...args: string[]): string;
  }
  export interface ITranslator {
    readonly languageCode: string;
    load(domain: string): TranslationBundle;
  }
  export const ITranslator: Token<ITranslator>;
}

declare module "@jupyterlab/ui-components" {
  export class LabIcon {
    render(host: HTMLElement): void;
    constructor(options: { name: string; svgstr: string });
  }
}
