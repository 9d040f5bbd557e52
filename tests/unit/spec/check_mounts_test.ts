import { assertEquals } from "@std/assert";
import { type Case, faults, type Json, withNamespaces } from "../../support/spec.ts";

const MAPPING = { containerID: 0, hostID: 1000, size: 10 };

function bind(mount: Json): Json {
  return { mounts: [{ destination: "/m", source: "/s", options: ["bind"], ...mount }] };
}

const MOUNTS: Case[] = [
  [{ mounts: [] }],
  [{ mounts: [{}] }, "mounts[0].destination: is required"],
  [
    { mounts: [{ destination: "/m" }] },
    "mounts[0].type: is required without the option bind or rbind",
  ],
  [{ mounts: [{ destination: "", type: "tmpfs" }] }, 'mounts[0].destination: "" is empty'],
  [{ mounts: [{ destination: "relative", type: "tmpfs" }] }],
  [{ mounts: [{ destination: "/", options: ["remount", "ro"] }] }],
  [bind({})],
  [bind({ source: "relative", options: ["ro,rbind"] })],
  [bind({ source: undefined }), "mounts[0].source: is required for a bind mount"],
  [
    bind({ source: undefined, type: "bind", options: [] }),
    "mounts[0].source: " +
    "is required for a bind mount",
  ],
  [bind({ source: "" }), "mounts[0].source: is required for a bind mount"],
  [bind({ options: "bind" }), 'mounts[0].options: "bind" is not an array'],
  [bind({ options: ["bind", 1] }), "mounts[0].options[1]: 1 is not a string"],
  [bind({ type: 1 }), "mounts[0].type: 1 is not a string"],
];

const MAPPINGS: Case[] = [
  [bind({ uidMappings: [MAPPING], gidMappings: [MAPPING] })],
  [bind({ uidMappings: [], gidMappings: [] })],
  [bind({ uidMappings: [MAPPING] }), "mounts[0].gidMappings: is required with uidMappings"],
  [
    bind({ uidMappings: [], gidMappings: [MAPPING] }),
    "mounts[0].uidMappings: is required with gidMappings",
  ],
  [
    bind({ uidMappings: [{}], gidMappings: [MAPPING] }),
    "mounts[0].uidMappings[0].containerID: is required",
    "mounts[0].uidMappings[0].hostID: is required",
    "mounts[0].uidMappings[0].size: is required",
  ],
  [
    bind({ uidMappings: [{ ...MAPPING, size: 0 }], gidMappings: [MAPPING] }),
    "mounts[0].uidMappings[0].size: 0 maps nothing",
  ],
  [
    bind({ uidMappings: [{ ...MAPPING, size: 4294966297 }], gidMappings: [MAPPING] }),
    "mounts[0].uidMappings[0].size: 4294966297 goes beyond the id 4294967295",
  ],
  [
    bind({ uidMappings: [MAPPING, { ...MAPPING, containerID: 10 }], gidMappings: [MAPPING] }),
    "mounts[0].uidMappings[1].hostID: 1000 is mapped twice",
  ],
  [
    bind({
      uidMappings: [{ ...MAPPING, containerID: 9 }, { ...MAPPING, hostID: 5 }],
      gidMappings: [MAPPING],
    }),
    "mounts[0].uidMappings[0].containerID: 9 is mapped twice",
  ],
];

const RULE = "needs uidMappings and gidMappings, or a user namespace to take them from";

const IDMAPS: Case[] = [
  [bind({ options: ["bind", "idmap"], uidMappings: [MAPPING], gidMappings: [MAPPING] })],
  [bind({ options: ["bind", "ridmap"] }), `mounts[0].options[1]: "ridmap" ${RULE}`],
  [{ ...bind({ options: ["bind", "idmap"] }), "linux.namespaces": withNamespaces("user") }],
  [
    {
      ...bind({ options: ["rbind", "idmap"] }),
      "linux.namespaces": withNamespaces({ type: "user", path: "/proc/1/ns/user" }),
    },
  ],
  [bind({ options: ["bind", "idmap=uids=0-1-10#10-11-10;gids=0-100-10"] })],
  [
    bind({ options: ["bind", "idmap=uids=0-1"] }),
    'mounts[0].options[1]: "idmap=uids=0-1" is not usable: ' +
    'idmap range "0-1" is not of the form 0-1000-10',
  ],
  [
    bind({ options: ["bind", "idmap=uids=0-1-2"] }),
    'mounts[0].options[1]: "idmap=uids=0-1-2" is not usable: ' +
    'idmap "uids=0-1-2" needs both uids and gids',
  ],
];

for (const [name, cases] of Object.entries({ MOUNTS, MAPPINGS, IDMAPS })) {
  Deno.test(`validate reports the faults of mounts: ${name.toLowerCase()}`, () => {
    for (const [changes, ...findings] of cases) {
      assertEquals(faults(changes), findings, Deno.inspect(changes));
    }
  });
}
