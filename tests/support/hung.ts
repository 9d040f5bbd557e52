/** A file system whose server never answers. */

import { command, until } from "./runtime.ts";

/** Mounts it by fuse(4), and holds it until its standard input ends. */
const SCRIPT = `import ctypes, os, sys
path = sys.argv[1].encode()
libc = ctypes.CDLL(None, use_errno=True)
server = os.open("/dev/fuse", os.O_RDWR)
options = b"fd=%d,rootmode=40000,user_id=0,group_id=0" % server
if libc.mount(b"hung", path, b"fuse", 0, options) != 0:
    sys.exit(os.strerror(ctypes.get_errno()))
sys.stdin.read()
os.close(server)
libc.umount2(path, 2)
`;

/** Whoever looks into the directory waits, until it is disposed of. */
export class HungDirectory implements AsyncDisposable {
  readonly path = Deno.makeTempDirSync({ prefix: "runts-hung-" });
  readonly #server = new Deno.Command("python3", {
    args: ["-c", SCRIPT, this.path],
    ...{ stdin: "piped", stdout: "null", stderr: "inherit" },
  }).spawn();
  #ended = false;

  static async make(): Promise<HungDirectory> {
    const directory = new HungDirectory();
    const mounts = async () => (await command(["cat", "/proc/self/mountinfo"])).stdout;
    await until("it is mounted", async () => (await mounts()).includes(` ${directory.path} `));
    return directory;
  }

  /** Its server ends: whoever waits is told so. */
  async abort(): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    await this.#server.stdin.close();
    await this.#server.status;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.abort();
    Deno.removeSync(this.path);
  }
}
