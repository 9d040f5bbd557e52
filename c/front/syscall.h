/* Numbers of system calls and the entry point: what differs between the processors. */
#ifndef RUNTS_FRONT_SYSCALL_H
#define RUNTS_FRONT_SYSCALL_H

#include "../common/raw.h"

#if defined(__x86_64__)

#define SYS_READ 0
#define SYS_WRITE 1
#define SYS_CLOSE 3
#define SYS_MMAP 9
#define SYS_MUNMAP 11
#define SYS_RT_SIGACTION 13
#define SYS_RT_SIGPROCMASK 14
#define SYS_PREAD64 17
#define SYS_GETPID 39
#define SYS_SOCKET 41
#define SYS_CONNECT 42
#define SYS_SENDMSG 46
#define SYS_RECVMSG 47
#define SYS_SOCKETPAIR 53
#define SYS_CLONE 56
#define SYS_WAIT4 61
#define SYS_FCNTL 72
#define SYS_FLOCK 73
#define SYS_CHDIR 80
#define SYS_GETUID 102
#define SYS_GETEUID 107
#define SYS_GETPPID 110
#define SYS_SETSID 112
#define SYS_PRCTL 157
#define SYS_GETDENTS64 217
#define SYS_CLOCK_GETTIME 228
#define SYS_EXIT_GROUP 231
#define SYS_TGKILL 234
#define SYS_WAITID 247
#define SYS_OPENAT 257
#define SYS_UNLINKAT 263
#define SYS_RENAMEAT 264
#define SYS_READLINKAT 267
#define SYS_FACCESSAT 269
#define SYS_PPOLL 271
#define SYS_DUP3 292
#define SYS_PRLIMIT64 302
#define SYS_MEMFD_CREATE 319
#define SYS_EXECVEAT 322
#define SYS_STATX 332
#define SYS_PIDFD_SEND_SIGNAL 424
#define SYS_PIDFD_OPEN 434
#define SYS_CLOSE_RANGE 436

#ifdef FRONT_ENTRY
/* rdx would be a function to call at the end; the kernel names none. */
__asm__(".section .text.entry, \"ax\"\n"
        ".globl front_start\n"
        "front_start:\n"
        "  endbr64\n"
        "  mov %rsp, %rdi\n"
        "  sub $1024, %rsp\n" /* room for the slots that start_deno adds */
        "  call front_main\n"
        "  mov %rax, %rsp\n"
        "  mov %rdx, %rcx\n"
        "  xor %edx, %edx\n"
        "  jmp *%rcx\n"
        ".text\n");
#endif

#elif defined(__aarch64__)

#define SYS_DUP3 24
#define SYS_FCNTL 25
#define SYS_FLOCK 32
#define SYS_UNLINKAT 35
#define SYS_RENAMEAT 38
#define SYS_FACCESSAT 48
#define SYS_CHDIR 49
#define SYS_OPENAT 56
#define SYS_CLOSE 57
#define SYS_GETDENTS64 61
#define SYS_READ 63
#define SYS_WRITE 64
#define SYS_PREAD64 67
#define SYS_PPOLL 73
#define SYS_READLINKAT 78
#define SYS_EXIT_GROUP 94
#define SYS_WAITID 95
#define SYS_CLOCK_GETTIME 113
#define SYS_TGKILL 131
#define SYS_RT_SIGACTION 134
#define SYS_RT_SIGPROCMASK 135
#define SYS_SETSID 157
#define SYS_PRCTL 167
#define SYS_GETPID 172
#define SYS_GETPPID 173
#define SYS_GETUID 174
#define SYS_GETEUID 175
#define SYS_SOCKET 198
#define SYS_SOCKETPAIR 199
#define SYS_CONNECT 203
#define SYS_SENDMSG 211
#define SYS_RECVMSG 212
#define SYS_MUNMAP 215
#define SYS_CLONE 220
#define SYS_MMAP 222
#define SYS_WAIT4 260
#define SYS_PRLIMIT64 261
#define SYS_MEMFD_CREATE 279
#define SYS_EXECVEAT 281
#define SYS_STATX 291
#define SYS_PIDFD_SEND_SIGNAL 424
#define SYS_PIDFD_OPEN 434
#define SYS_CLOSE_RANGE 436

#ifdef FRONT_ENTRY
__asm__(".section .text.entry, \"ax\"\n"
        ".globl front_start\n"
        "front_start:\n"
        "  hint #38\n" /* bti jc */
        "  mov x0, sp\n"
        "  sub sp, sp, #1024\n" /* room for the slots that start_deno adds */
        "  bl front_main\n"
        "  mov sp, x0\n"
        "  mov x16, x1\n"
        "  mov x0, #0\n" /* nothing is registered for the end */
        "  br x16\n"
        ".text\n");
#endif

#endif

#endif
