/* What the front has to say when Deno cannot be started. */
#ifndef RUNTS_FRONT_SAY_H
#define RUNTS_FRONT_SAY_H

/* Ends the process with one line: "runts: cannot start: WHAT: ERROR" and the hint. */
void die(const char *what, long negative_errno, const char *hint, int exit_code)
    __attribute__((noreturn));

/* Gives the result of a system call, unless it is an error. */
long check(const char *what, long result);

#endif
