/** A headless Chromium that tests look at pages with, by the DevTools protocol. */

const PROGRAMS = ["chromium-headless-shell", "chromium", "google-chrome"];
const FLAGS = [
  "--headless",
  "--no-sandbox", // tests are root
  "--disable-gpu",
  "--hide-scrollbars",
  "--remote-debugging-port=0",
];

/** What a call or an event of the protocol holds. */
// deno-lint-ignore no-explicit-any -- as many shapes as methods
type Data = any;

/** The browser; disposing of it ends it. */
export class Browser implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #socket: WebSocket;
  readonly #profile: string;
  readonly #calls = new Map<number, { resolve(data: Data): void; reject(error: Error): void }>();
  readonly #listeners: ((session: string, method: string, params: Data) => void)[] = [];
  #count = 0;

  private constructor(process: Deno.ChildProcess, socket: WebSocket, profile: string) {
    this.#process = process;
    this.#socket = socket;
    this.#profile = profile;
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
  }

  /** Starts the first of the programs that is there. */
  static async launch(): Promise<Browser> {
    const profile = Deno.makeTempDirSync({ prefix: "runts-browser-" });
    const process = new Deno.Command("sh", {
      args: [
        "-c",
        `for program in ${
          PROGRAMS.join(" ")
        }; do command -v $program >/dev/null && exec $program "$@"; done
         echo "no chromium: deno task setup test" >&2; exit 1`,
        "sh",
        ...FLAGS,
        `--user-data-dir=${profile}`,
        "about:blank",
      ],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const address = await addressOf(process.stderr);
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    return new Browser(process, socket, profile);
  }

  /** A page that has been loaded. */
  async open(url: string, size = { width: 1200, height: 800 }): Promise<Page> {
    const { targetId } = await this.call("", "Target.createTarget", {
      url: "about:blank",
      ...size,
    });
    const { sessionId } = await this.call("", "Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, sessionId);
    await page.begin();
    await page.go(url);
    return page;
  }

  /** One call; "" is the browser itself. */
  call(session: string, method: string, params: Data = {}): Promise<Data> {
    const id = ++this.#count;
    const answer = new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }));
    const message = { id, method, params, ...(session !== "" && { sessionId: session }) };
    this.#socket.send(JSON.stringify(message));
    return answer;
  }

  listen(listener: (session: string, method: string, params: Data) => void): void {
    this.#listeners.push(listener);
  }

  #receive({ id, result, error, sessionId = "", method, params }: Data): void {
    const call = this.#calls.get(id);
    if (call === undefined) {
      for (const listener of this.#listeners) listener(sessionId, method, params);
    } else if (error) call.reject(new Error(error.message));
    else call.resolve(result);
    this.#calls.delete(id);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.onclose = resolve);
    await this.call("", "Browser.close").catch(() => {});
    await closed;
    await this.#process.status;
    await Deno.remove(this.#profile, { recursive: true });
  }
}

/** What the browser prints once it listens. */
async function addressOf(stderr: ReadableStream<Uint8Array>): Promise<string> {
  const [first, rest] = stderr.tee();
  rest.pipeTo(new WritableStream()).catch(() => {});
  let text = "";
  for await (const piece of first.pipeThrough(new TextDecoderStream())) {
    text += piece;
    const address = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
    if (address !== undefined) return address;
  }
  throw new Error(`the browser does not start: ${text}`);
}

/** One page. */
class Page {
  /** Addresses that it has asked for. */
  readonly requests: string[] = [];
  /** What it has said, and what went wrong in it. */
  readonly complaints: string[] = [];
  #loaded = () => {};

  constructor(readonly browser: Browser, readonly session: string) {
    browser.listen((from, method, params) => {
      if (from === session) this.#hear(method, params);
    });
  }

  async begin(): Promise<void> {
    for (const domain of ["Page", "Network", "Runtime", "Log"]) {
      await this.browser.call(this.session, `${domain}.enable`);
    }
  }

  /** Goes to an address, and waits until all of it is there. */
  async go(url: string): Promise<void> {
    const loaded = new Promise<void>((resolve) => this.#loaded = resolve);
    const { errorText } = await this.browser.call(this.session, "Page.navigate", { url });
    if (errorText) throw new Error(`${url}: ${errorText}`);
    await loaded;
  }

  /** The value of an expression. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.browser.call(this.session, "Runtime.evaluate", {
      expression,
      returnByValue: true,
      awaitPromise: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? "failed");
    return result.value;
  }

  /** A picture of what is seen (PNG). */
  async screenshot(): Promise<Uint8Array> {
    const { data } = await this.browser.call(this.session, "Page.captureScreenshot");
    return Uint8Array.fromBase64(data);
  }

  /** Light or dark, as somebody prefers it. */
  async prefer(value: "light" | "dark"): Promise<void> {
    const features = [{ name: "prefers-color-scheme", value }];
    await this.browser.call(this.session, "Emulation.setEmulatedMedia", { features });
  }

  #hear(method: string, params: Data): void {
    if (method === "Network.requestWillBeSent") this.requests.push(params.request.url);
    else if (method === "Page.loadEventFired") this.#loaded();
    else if (method === "Runtime.exceptionThrown") {
      this.complaints.push(params.exceptionDetails.text);
    } else if (method === "Log.entryAdded") this.complaints.push(params.entry.text);
  }
}
