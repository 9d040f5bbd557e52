/*
 * Times programs, one after the other, as a client of a small runtime would start them: posix_spawn(3) to
 * waitpid(2), with /dev/null for all streams.
 *
 * A request is a struct request and then its texts, each ending in NUL: words, then variables. The answer is a
 * struct answer. The end of the requests is the end of the program.
 */
#define _GNU_SOURCE 1
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

struct request {
  uint32_t size; /* of the texts, in bytes */
  uint32_t words, variables;
};

struct answer {
  int64_t ns;
  int32_t status; /* as waitpid(2) has it; negative: why it could not be started */
  int32_t reserved;
};

static int64_t now(void) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  return (int64_t)at.tv_sec * 1000000000 + at.tv_nsec;
}

/* So many texts as a list that ends in NULL; moves on behind them. */
static char **take_list(char **at, uint32_t count) {
  char **list = calloc((size_t)count + 1, sizeof *list);
  for (uint32_t i = 0; list && i < count; i++) {
    list[i] = *at;
    *at += strlen(*at) + 1;
  }
  return list;
}

static int32_t run(char **words, char **variables) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  for (int fd = 0; fd < 3; fd++)
    posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
  pid_t pid;
  int error = posix_spawn(&pid, words[0], &actions, NULL, words, variables), status = 0;
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0)
    return -error;
  while (waitpid(pid, &status, 0) < 0)
    if (errno != EINTR)
      return -errno;
  return status;
}

int main(void) {
  struct request request;
  while (fread(&request, sizeof request, 1, stdin) == 1) {
    char *texts = malloc((size_t)request.size + 1), *at = texts;
    if (!texts || fread(texts, 1, request.size, stdin) != request.size)
      return 1;
    texts[request.size] = '\0';
    char **words = take_list(&at, request.words), **variables = take_list(&at, request.variables);
    if (!words || !variables || request.words == 0)
      return 1;
    int64_t start = now();
    struct answer answer = {.status = run(words, variables)};
    answer.ns = now() - start;
    if (fwrite(&answer, sizeof answer, 1, stdout) != 1 || fflush(stdout) != 0)
      return 1;
    free(words);
    free(variables);
    free(texts);
  }
  return 0;
}
