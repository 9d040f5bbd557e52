/*
 * Stops for tests: there the process waits until the test lets it go on, or kills it. Only a build
 * with RUNTS_STOPS has any.
 */
#ifndef RUNTS_STOP_H
#define RUNTS_STOP_H

#ifdef RUNTS_STOPS
/*
 * The name of the stop, which begins with '@', becomes that of the process. The first process of a
 * pid namespace, which cannot stop itself, goes on at SIGUSR1, and any other at SIGCONT.
 */
void stop_here(const char *name);
#define STOP(name) stop_here(name)
#else
#define STOP(name) ((void)0)
#endif

#endif
