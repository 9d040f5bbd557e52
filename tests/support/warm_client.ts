/** Somebody who speaks to a warm brain as fronts do (c/include/body.h), and may be another one than it says. */

import { command, RUNTIME } from "./runtime.ts";

const SCRIPT = `import array, json, os, socket, struct, sys
path, front_id, mode = sys.argv[1:]
client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
client.connect(path)
GREET, ACCEPT, END = 20, 21, 22
said = []

def hear():
    packet = client.recv(65536)
    if not packet:
        said.append("eof")
        return None
    operation, request = struct.unpack_from("<II", packet)
    code = struct.unpack_from("<i", packet, 8)[0] if operation == END else None
    said.append({ACCEPT: "accept", END: "end %s" % code}.get(operation, "request %d" % operation))
    return operation, request, packet[8:]

def reply(operation, request, fields):
    try:
        client.send(struct.pack("<IIiI", operation, request, 0, 0) + fields)
    except BrokenPipeError:
        pass

def rest():
    while True:
        heard = hear()
        if heard is None or heard[0] == END:
            return
        reply(heard[0], heard[1], b"")

texts = b"runts\\0--root\\0/nonexistent\\0list\\0"
head = struct.pack("<IIiIII", GREET, 0, 0, 0, 4, 0)
client.send(head + front_id.encode() + texts)
if mode == "guess":
    reply(ACCEPT, 1, bytes(16))
    hear()
    rest()
else:
    heard = hear()
    if heard and heard[0] == ACCEPT:
        operation, request, fields = heard
        if mode == "other":
            fields = bytes(len(fields)) + b"x"
        child = os.fork() if mode == "child" else 0
        if child == 0:
            reply(operation, request, fields)
        if mode == "nonsense":
            reply(ACCEPT, 999, b"")
        if mode == "child":
            if child == 0:
                os._exit(0)
            os.waitpid(child, 0)
        rest()
print(json.dumps(said))
`;

/**
 * Whose "go" it is: its own, one before it was asked, with other bytes, or that of its child; behind "nonsense"
 * comes a reply to nothing.
 */
type Going = "own" | "guess" | "other" | "child" | "nonsense";

/** Of the fronts that are tested. */
async function frontId(): Promise<string> {
  const { stdout } = await command([RUNTIME, "version"]);
  return /^front: ([0-9a-f]{32})$/m.exec(stdout)![1]!;
}

const CROWD = `import socket, struct, sys
path, front_id, count = sys.argv[1:]
texts = b"runts\\0--root\\0/nonexistent\\0list\\0"
greeting = struct.pack("<IIiIII", 20, 0, 0, 0, 4, 0) + front_id.encode() + texts
clients = []
for _ in range(int(count)):
    client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    client.connect(path)
    client.send(greeting)
    clients.append(client)
for client in clients:
    assert client.recv(65536)
print("there", flush=True)
sys.stdin.read()
`;

/** So many fronts that were accepted, and never say that they want their command to be carried out. */
export async function crowd(directory: string, count: number): Promise<AsyncDisposable> {
  const args = ["-c", CROWD, `${directory}/socket`, await frontId(), String(count)];
  const process = new Deno.Command("python3", { args, stdin: "piped", stdout: "piped" }).spawn();
  const reader = process.stdout.getReader();
  const { value } = await reader.read();
  if (value === undefined) throw new Error("the crowd was not accepted");
  return {
    async [Symbol.asyncDispose]() {
      await process.stdin.close();
      await reader.cancel();
      await process.status;
    },
  };
}

/** Asks the brain of a directory for a list; gives what it said. */
export async function askAs(directory: string, going: Going): Promise<string[]> {
  const id = await frontId();
  const found = await command(["python3", "-c", SCRIPT, `${directory}/socket`, id, going]);
  if (found.code !== 0) throw new Error(found.stderr);
  return JSON.parse(found.stdout);
}
