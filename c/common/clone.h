/* clone(2) for a child that shares our memory, without the C library. */
#ifndef RUNTS_CLONE_H
#define RUNTS_CLONE_H

#include <stdint.h>
#include <sys/syscall.h>

#include "raw.h"

/*
 * The child calls `main` on a stack of its own, which ends at `stack` (aligned to 16 bytes), and must never
 * return from it. `parent` and `child` are for the flags that want them. The pid, or -errno.
 */
static inline long clone_raw(long flags, void *stack, int32_t *parent, int32_t *child,
                             int (*main)(void *), void *data) {
  void **top = (void **)stack - 2;
  top[0] = (void *)main;
  top[1] = data;
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = (long)child;
  register long r8 __asm__("r8") = 0;
  __asm__ volatile("syscall\n\t"
                   "test %%rax, %%rax\n\t"
                   "jnz 1f\n\t"
                   "xor %%ebp, %%ebp\n\t"
                   "pop %%rax\n\t"
                   "pop %%rdi\n\t"
                   "call *%%rax\n\t"
                   "ud2\n"
                   "1:"
                   : "=a"(result)
                   : "a"((long)SYS_clone), "D"(flags), "S"(top), "d"(parent), "r"(r10), "r"(r8)
                   : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = SYS_clone;
  register long x0 __asm__("x0") = flags;
  register void *x1 __asm__("x1") = top;
  register int32_t *x2 __asm__("x2") = parent;
  register long x3 __asm__("x3") = 0;
  register int32_t *x4 __asm__("x4") = child;
  __asm__ volatile("svc #0\n\t"
                   "cbnz x0, 1f\n\t"
                   "mov x29, xzr\n\t"
                   "ldp x1, x0, [sp], #16\n\t"
                   "blr x1\n\t"
                   "brk #1\n"
                   "1:"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4)
                   : "memory");
  return x0;
#endif
}

#endif
