/* Files in memory that nobody can change any more. */
#ifndef RUNTS_MEMFD_H
#define RUNTS_MEMFD_H

#include <stddef.h>

#define MEMFD_EXECUTABLE 0x10u /* MFD_EXEC, Linux 6.3; vm.memfd_noexec may demand it */

/* A sealed file with these bytes. `flags`: MEMFD_EXECUTABLE or 0. The descriptor, or -errno. */
int sealed_memfd(const char *name, unsigned flags, const void *bytes, size_t length);

#endif
