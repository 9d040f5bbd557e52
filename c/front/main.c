/* What the executable runs first: the kernel enters here, and there is neither ld.so nor libc. */
#define FRONT_ENTRY
#include "auxv.h"
#include "cold.h"
#include "shim.h"
#include "syscall.h"
#include "text.h"
#include "verbs.h"
#include "warm.h"

/* Links under the names of LXC's commands and of shims have verbs of their own (lib/cli/dispatch.ts). */
static const char *name_of(const char *called_as) {
  const char *name = called_as;
  for (const char *at = called_as; *at; at++)
    if (*at == '/')
      name = at + 1;
  return name;
}

static int begin(char **sp, char **env, struct begun *begun) {
  const char *name = name_of(sp[1]);
  if (after(name, "lxc-"))
    return ask_brain(sp, env);
  if (after(name, "containerd-shim-"))
    return be_shim(sp + 2, env);
  int code = perform(sp + 2, env, begun);
  return code == COLD && begun->lock < 0 ? ask_brain(sp, env) : code;
}

/* Of a setuid executable the caller is somebody else. */
static int is_secure(char **env) {
  return auxv_value(auxv_of(env), AT_SECURE, 1) != 0;
}

__attribute__((used, visibility("hidden"))) struct start front_main(char **sp) {
  long argc = (long)sp[0];
  char **env = sp + argc + 2;
  struct begun begun = {-1, -1, -1};
  int code = argc < 1 || is_secure(env) ? COLD : begin(sp, env, &begun);
  if (code >= 0)
    for (;;)
      sys1(SYS_EXIT_GROUP, code);
  return start_deno(sp, &begun);
}
