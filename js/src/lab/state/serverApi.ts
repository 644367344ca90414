// Requests to the Jupyter server extension. Failures are reported as sentences.
import { t } from "#shared/translation";
import { ServerConnection } from "@jupyterlab/services";
import type {
  Device,
  EndAction,
  EndResult,
  HistoryRow,
  OpenCell,
  Overview,
  Snapshot,
  WorkloadRef,
} from "#shared/serverTypes";
import { NO_ANSWER, RequestFailed } from "#shared/messages/outcomes";

const TIMEOUT_MS = 20_000;

/** The server's own sentence, and the outcome as a code and counts. */
export type EndAnswer = Partial<Pick<EndResult, "code" | "cancelled" | "finishing">> & {
  message: string;
};

export interface CloseResult extends EndAnswer {
  service: string;
  id: string;
  ok: boolean;
}

export class Server {
  constructor(private readonly settings: ServerConnection.ISettings) {}

  get baseUrl(): string {
    return this.settings.baseUrl;
  }

  overview(since: number | null, wait: number, signal?: AbortSignal): Promise<Overview> {
    const waiting = since === null || wait <= 0 ? "" : `&since=${since}&wait=${wait}`;
    // a page that looks on must not keep a server alive that is to end when nobody uses it
    return this.request(`overview?no_track_activity=1${waiting}`, {}, wait * 1000, signal);
  }

  end(action: EndAction, which: WorkloadRef): Promise<EndAnswer & { snapshot: Snapshot }> {
    return this.post(`workloads/${path(which)}/${action}`);
  }

  closeAll(all: WorkloadRef[]): Promise<{ results: CloseResult[] }> {
    return this.post("close-all", { ids: all.map(({ service, id }) => [service, id]) });
  }

  devices(service: string): Promise<{ devices: Device[] }> {
    return this.request(`services/${encodeURIComponent(service)}/devices`, {}, 0);
  }

  calibrated(service: string, name: string): Promise<{ calibrated: number | null }> {
    const device = `devices/${encodeURIComponent(name)}`;
    return this.request(`services/${encodeURIComponent(service)}/${device}`, {}, 0);
  }

  cell(service: string, options: OpenCell): Promise<{ source: string }> {
    return this.post(`services/${encodeURIComponent(service)}/cell`, options);
  }

  history(): Promise<{ sessions: HistoryRow[] }> {
    return this.request("history", {}, 0);
  }

  deleteHistory(): Promise<{ deleted: number }> {
    return this.request("history", { method: "DELETE" }, 0);
  }

  tutorials(): Promise<{ path: string; notebook: string }> {
    return this.post("tutorials");
  }

  private post<T>(route: string, body: object = {}): Promise<T> {
    return this.request(route, { method: "POST", body: JSON.stringify(body) }, TIMEOUT_MS);
  }

  private async request<T>(
    route: string,
    init: RequestInit,
    longer: number,
    signal?: AbortSignal,
  ): Promise<T> {
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(), TIMEOUT_MS + longer);
    const stop = () => timeout.abort();
    signal?.addEventListener("abort", stop);
    let response: Response;
    try {
      response = await ServerConnection.makeRequest(
        `${this.settings.baseUrl}qsession/api/${route}`,
        { ...init, signal: timeout.signal, cache: "no-store" },
        this.settings,
      );
      return await read<T>(response, init.method ? NO_ANSWER.unanswered : NO_ANSWER.silent);
    } catch (error) {
      if (error instanceof RequestFailed) throw error;
      const late = timeout.signal.aborted && !signal?.aborted;
      const words = init.method
        ? (["unknown", "unanswered"] as const)
        : (["late", "silent"] as const);
      throw new RequestFailed("down", NO_ANSWER[words[late ? 0 : 1]]);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    }
  }
}

function path({ service, id }: WorkloadRef): string {
  return `${encodeURIComponent(service)}/${encodeURIComponent(id)}`;
}

async function read<T>(response: Response, silent: string): Promise<T> {
  let answer: unknown = null;
  try {
    answer = await response.json();
  } catch {
    // an answer that is no JSON is not from our half; what it means stands in its status
  }
  if (response.ok && answer !== null) return answer as T;
  const { message, code } = (answer ?? {}) as { message?: unknown; code?: unknown };
  const words = typeof message === "string" ? message : "";
  // Jupyter's own 404 for a path without a handler has no code of the extension's
  if (response.status === 404 && code === undefined) {
    throw new RequestFailed("missing", NO_ANSWER.missing);
  }
  if (response.status === 401 || response.status === 403) {
    throw new RequestFailed(
      "down",
      t`The Jupyter server no longer accepts this page: log in again by loading the page anew.`,
    );
  }
  if (response.status === 424) throw new RequestFailed("down", NO_ANSWER.stopped);
  // from a proxy between the page and the server
  if (!words && [502, 503, 504].includes(response.status)) throw new RequestFailed("down", silent);
  if (words && response.status < 500) throw new RequestFailed("refused", words);
  if (words && response.status === 502) throw new RequestFailed("refused", words);
  throw new RequestFailed(
    "down",
    t`The Jupyter server answered with an error (${response.status}): its log says why.`,
  );
}
