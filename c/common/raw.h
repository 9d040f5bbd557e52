/*
 * System calls without the C library, for whoever has no errno of its own: they give the value or
 * -errno and leave the rest of the memory alone.
 */
#ifndef RUNTS_RAW_H
#define RUNTS_RAW_H

#if defined(__x86_64__)

static inline long sys6(long nr, long a, long b, long c, long d, long e, long f) {
  long result;
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  register long r9 __asm__("r9") = f;
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  return result;
}

#elif defined(__aarch64__)

static inline long sys6(long nr, long a, long b, long c, long d, long e, long f) {
  register long x8 __asm__("x8") = nr;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  register long x4 __asm__("x4") = e;
  register long x5 __asm__("x5") = f;
  __asm__ volatile("svc #0"
                   : "+r"(x0)
                   : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
                   : "memory");
  return x0;
}

#else
#error "the processors that are known are x86_64 and aarch64"
#endif

static inline long sys1(long nr, long a) {
  return sys6(nr, a, 0, 0, 0, 0, 0);
}

static inline long sys2(long nr, long a, long b) {
  return sys6(nr, a, b, 0, 0, 0, 0);
}

static inline long sys3(long nr, long a, long b, long c) {
  return sys6(nr, a, b, c, 0, 0, 0);
}

static inline long sys4(long nr, long a, long b, long c, long d) {
  return sys6(nr, a, b, c, d, 0, 0);
}

#endif
