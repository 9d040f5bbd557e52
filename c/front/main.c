/* What the executable runs first: the kernel enters here, and there is neither ld.so nor libc. */
#define FRONT_ENTRY
#include "auxv.h"
#include "cold.h"
#include "syscall.h"
#include "verbs.h"

/* Of a setuid executable the caller is somebody else. */
static int is_secure(char **env) {
  return auxv_value(auxv_of(env), AT_SECURE, 1) != 0;
}

__attribute__((used, visibility("hidden"))) struct start front_main(char **sp) {
  long argc = (long)sp[0];
  char **env = sp + argc + 2;
  struct begun begun = {-1, -1, -1};
  int code = argc < 1 || is_secure(env) ? COLD : perform(sp + 2, env, &begun);
  if (code >= 0)
    for (;;)
      sys1(SYS_EXIT_GROUP, code);
  return start_deno(sp, &begun);
}
