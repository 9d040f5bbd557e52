/* The way back out of a handler (sigreturn(2)): elsewhere the C library has it, or the kernel. */
#include "action.h"

#if defined(__x86_64__)

#define SA_RESTORER_FLAG 0x04000000

__attribute__((visibility("hidden"))) void return_from_handler(void);
__asm__(".text\n"
        ".hidden return_from_handler\n"
        ".globl return_from_handler\n"
        "return_from_handler:\n"
        "  mov $15, %eax\n"
        "  syscall\n");

void change_action(int number, const struct action *to, struct action *from) {
  struct action own = *to;
  if (own.flags & SA_SIGINFO) {
    own.flags |= SA_RESTORER_FLAG;
    own.restorer = return_from_handler;
  }
  sys4(SYS_RT_SIGACTION, number, (long)&own, (long)from, sizeof own.mask);
}

#else

void change_action(int number, const struct action *to, struct action *from) {
  sys4(SYS_RT_SIGACTION, number, (long)to, (long)from, sizeof to->mask);
}

#endif
