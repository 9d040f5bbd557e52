/* The little that a test program needs: checks that name what differs, and a list of tests. */
#ifndef TEST_H
#define TEST_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct test {
  const char *name;
  void (*run)(void);
};

#define TEST(function) \
  { #function, function }

static bool test_failed;

static inline void test_check(bool holds, const char *what, const char *file, int line) {
  if (holds)
    return;
  fprintf(stderr, "%s:%d: not so: %s\n", file, line, what);
  test_failed = true;
}

static inline void test_number(long long is, long long wanted, const char *what, const char *file,
                               int line) {
  if (is == wanted)
    return;
  fprintf(stderr, "%s:%d: %s is %lld instead of %lld\n", file, line, what, is, wanted);
  test_failed = true;
}

static inline void test_text(const char *is, const char *wanted, const char *what, const char *file,
                             int line) {
  if (strcmp(is, wanted) == 0)
    return;
  fprintf(stderr, "%s:%d: %s is «%s» instead of «%s»\n", file, line, what, is, wanted);
  test_failed = true;
}

#define CHECK(condition) test_check((condition), #condition, __FILE__, __LINE__)
#define CHECK_NUMBER(is, wanted) test_number((is), (wanted), #is, __FILE__, __LINE__)
#define CHECK_TEXT(is, wanted) test_text((is), (wanted), #is, __FILE__, __LINE__)

/* For what a test takes for granted: without it nothing further makes sense. */
#define NEED(condition)                                                            \
  do {                                                                             \
    if (!(condition)) {                                                            \
      fprintf(stderr, "%s:%d: cannot test: %s\n", __FILE__, __LINE__, #condition); \
      exit(2);                                                                     \
    }                                                                              \
  } while (0)

/* With an argument only the test of that name runs. Gives the exit status. */
static inline int test_run(const struct test *tests, size_t count, int argc, char **argv) {
  int failures = 0, ran = 0;
  for (size_t i = 0; i < count; i++) {
    if (argc > 1 && strcmp(argv[1], tests[i].name) != 0)
      continue;
    test_failed = false;
    tests[i].run();
    ran++;
    failures += test_failed;
    printf("%s %d - %s\n", test_failed ? "not ok" : "ok", ran, tests[i].name);
    fflush(stdout);
  }
  printf("1..%d\n", ran);
  return failures == 0 && ran > 0 ? 0 : 1;
}

#endif
