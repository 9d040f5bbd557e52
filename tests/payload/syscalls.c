/*
 * Makes the system calls that its arguments name and prints what becomes of each, one a line.
 *
 * An argument is a number and the call's own arguments: `257,-100,@/etc/passwd,0`; `@` begins a
 * text. `!` in front: a child makes the call. `status`: prints lines of /proc/self/status.
 * What is printed: the result, `errno N`, `SIGSYS N` with the trapped number, `signal N` for the
 * end of a child.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static volatile sig_atomic_t trapped;

static void on_sigsys(int signal, siginfo_t *info, void *context) {
  (void)signal;
  (void)context;
  trapped = info->si_syscall + 1;
}

static void call(char *text) {
  long numbers[7] = {0};
  int count = 0;
  for (char *part = strtok(text, ","); part && count < 7; part = strtok(NULL, ","))
    numbers[count++] = *part == '@' ? (long)(part + 1) : (long)strtoull(part, NULL, 0);
  trapped = 0;
  errno = 0;
  long result =
      syscall(numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5], numbers[6]);
  int error = errno;
  if (trapped)
    printf("SIGSYS %d\n", (int)trapped - 1);
  else if (result == -1 && error)
    printf("errno %d\n", error);
  else
    printf("%ld\n", result);
}

static void call_in_child(char *text) {
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    call(text);
    fflush(stdout);
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status))
    printf("signal %d\n", WTERMSIG(status));
}

static void print_status(void) {
  static const char *const wanted[] = {"CapEff:", "CapPrm:", "NoNewPrivs:", "Seccomp:"};
  char line[256];
  FILE *file = fopen("/proc/self/status", "re");
  while (file && fgets(line, sizeof line, file))
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
      if (strncmp(line, wanted[i], strlen(wanted[i])) == 0)
        fputs(line, stdout);
  if (file)
    fclose(file);
}

int main(int count, char **arguments) {
  struct sigaction action = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};
  sigaction(SIGSYS, &action, NULL);
  for (int i = 1; i < count; i++) {
    if (strcmp(arguments[i], "status") == 0)
      print_status();
    else if (*arguments[i] == '!')
      call_in_child(arguments[i] + 1);
    else
      call(arguments[i]);
  }
  fflush(stdout);
  return 0;
}
