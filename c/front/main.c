/* What the executable runs first: the kernel enters here, and there is neither ld.so nor libc. */
#define FRONT_ENTRY
#include "cold.h"
#include "syscall.h"

__attribute__((used, visibility("hidden"))) struct start front_main(char **sp) {
  return start_deno(sp);
}
