// The parts of JupyterLab that these plugins touch, and nothing else. They are the same from JupyterLab 4.4 on;
// JupyterLab's own types would bring three hundred packages into every build.

declare module "@lumino/coreutils" {
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
  import type { ISignal } from "@lumino/signaling";
  export namespace ServerConnection {
    interface ISettings {
      readonly baseUrl: string;
    }
    function makeRequest(url: string, init: RequestInit, settings: ISettings): Promise<Response>;
  }
  export interface Kernel {
    readonly id: string;
    readonly status: string;
    requestExecute(
      content: {
        code: string;
        silent?: boolean;
        store_history?: boolean;
        user_expressions?: object;
      },
      disposeOnDone?: boolean,
    ): { readonly done: Promise<{ content: unknown }>; dispose(): void };
  }
  export interface Shutting {
    shutdown(id: string): Promise<void>;
    shutdownAll(): Promise<void>;
  }
  export interface ServiceManager {
    readonly serverSettings: ServerConnection.ISettings;
    readonly kernels: Shutting & {
      connectTo(options: { model: { id: string; name: string } }): Kernel & { dispose(): void };
    };
    readonly sessions: Shutting & {
      running(): IterableIterator<{ id: string; kernel: { id: string } | null }>;
    };
  }
}

declare module "@jupyterlab/application" {
  import type { Token } from "@lumino/coreutils";
  import type { Widget } from "@lumino/widgets";
  import type { ISignal } from "@lumino/signaling";
  import type { ServiceManager } from "@jupyterlab/services";
  export interface CommandOptions {
    label: string | ((args: Record<string, unknown>) => string);
    caption?: string;
    describedBy?: { args: object };
    icon?: unknown;
    isEnabled?: (args: Record<string, unknown>) => boolean;
    execute: (args: Record<string, unknown>) => unknown;
  }
  export interface JupyterFrontEnd {
    readonly name: string;
    readonly restored: Promise<unknown>;
    readonly serviceManager: ServiceManager;
    readonly shell: {
      readonly currentWidget: Widget | null;
      readonly currentChanged?: ISignal<unknown, unknown>;
      add(widget: Widget, area: string, options?: { rank?: number; type?: string }): void;
      activateById(id: string): void;
    };
    readonly commands: {
      addCommand(id: string, options: CommandOptions): void;
      execute(id: string, args?: object): Promise<unknown>;
      hasCommand(id: string): boolean;
      notifyCommandChanged(id?: string): void;
    };
  }
  export interface JupyterFrontEndPlugin {
    id: string;
    description: string;
    autoStart: boolean;
    requires?: Token<unknown>[];
    optional?: (Token<unknown> | undefined)[];
    provides?: Token<unknown>;
    activate: (app: JupyterFrontEnd, ...services: never[]) => unknown;
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
  export interface SessionContext {
    readonly isDisposed: boolean;
    readonly session: { readonly kernel: Kernel | null } | null;
    readonly kernelChanged: ISignal<unknown, unknown>;
    readonly kernelPreference: { readonly shutdownOnDispose?: boolean };
    restartKernel(): Promise<void>;
    shutdown(): Promise<void>;
    changeKernel(options?: object): Promise<unknown>;
  }
  export interface ISessionContextDialogs {
    restart(context: SessionContext, options?: object): Promise<boolean>;
  }
  export const ISessionContextDialogs: Token<ISessionContextDialogs>;
  export namespace Notification {
    type Type = "info" | "success" | "warning" | "error";
    interface Action {
      label: string;
      caption?: string;
      displayType?: "default" | "accent" | "warn" | "link";
      callback: () => void;
    }
    interface Options {
      autoClose?: number | false;
      actions?: Action[];
    }
    function emit(message: string, type: Type, options?: Options): string;
    function dismiss(id: string): void;
  }
  export namespace Dialog {
    interface Button {
      label: string;
      accept: boolean;
    }
    function cancelButton(options?: { label?: string; ariaLabel?: string }): Button;
    function okButton(options?: { label?: string; ariaLabel?: string; caption?: string }): Button;
    function warnButton(options?: { label?: string; ariaLabel?: string; caption?: string }): Button;
  }
  export function showDialog(options: {
    title: string;
    body: string | Widget;
    buttons: Dialog.Button[];
    defaultButton?: number;
    hasClose?: boolean;
  }): Promise<{ button: Dialog.Button; isChecked: boolean | null }>;
}

declare module "@jupyterlab/notebook" {
  import type { Token } from "@lumino/coreutils";
  import type { Widget } from "@lumino/widgets";
  import type { ISignal } from "@lumino/signaling";
  import type { SessionContext } from "@jupyterlab/apputils";
  export interface Notebook {
    readonly activeCell: {
      readonly model: {
        readonly sharedModel: { setSource(source: string): void; getSource(): string };
      };
    } | null;
    readonly model: unknown;
    activeCellIndex: number;
  }
  export interface NotebookPanel extends Widget {
    readonly content: Notebook;
    readonly context: {
      readonly path: string;
      readonly ready: Promise<void>;
      readonly pathChanged: ISignal<unknown, unknown>;
    };
    readonly sessionContext: SessionContext;
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
    function run(notebook: Notebook, context?: SessionContext): Promise<boolean>;
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
  export interface ISettings {
    readonly composite: Record<string, unknown>;
    readonly changed: ISignal<unknown, unknown>;
  }
  export interface ISettingRegistry {
    load(plugin: string): Promise<ISettings>;
  }
  export const ISettingRegistry: Token<ISettingRegistry>;
}

declare module "@jupyterlab/rendermime" {
  import type { Token } from "@lumino/coreutils";
  import type { Widget } from "@lumino/widgets";
  export interface MimeModel {
    readonly data: Record<string, unknown>;
  }
  export interface Renderer extends Widget {
    renderModel(model: MimeModel): Promise<void>;
  }
  export interface IRenderMimeRegistry {
    createRenderer(mimeType: string): Renderer;
    clone(options?: object): IRenderMimeRegistry;
  }
  export const IRenderMimeRegistry: Token<IRenderMimeRegistry>;
}

declare module "@jupyterlab/ui-components" {
  export class LabIcon {
    constructor(options: { name: string; svgstr: string });
  }
}

declare module "*.css" {
  const text: string;
  export default text;
}
