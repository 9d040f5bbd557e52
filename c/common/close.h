/* Closing what a new program is not to have. */
#ifndef RUNTS_CLOSE_H
#define RUNTS_CLOSE_H

/* Closes every descriptor from `first` on. Safe after vfork(2). */
void close_from(int first);

#endif
