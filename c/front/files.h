/* Files by raw system calls. Errors are negative error numbers. */
#ifndef RUNTS_FRONT_FILES_H
#define RUNTS_FRONT_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* Like statx(2) without following a link; an empty path looks at `directory` itself. */
long look_at(long directory, const char *path, struct statx *st);

/* Opens for reading what is a regular file, and no link; O_CLOEXEC and O_NONBLOCK. */
long open_regular(long directory, const char *path);

/* Reads up to `size` bytes; gives how many there are, size if there are more. */
long read_fully(long fd, void *to, size_t size);

/* The text of a small file, ended by NUL; -EFBIG where it does not fit. */
long read_small(long directory, const char *path, char *to, size_t size);

/* The type of a file, as S_IFMT has it. */
static inline unsigned type_of(const struct statx *st) {
  return st->stx_mode & S_IFMT;
}

/* A file in memory with these bytes, sealed so that nothing can change it. */
long sealed_memfd(const char *from, long length);

/* Deno and init want all three; ends the process where that cannot be. */
void open_streams(void);

/* Zeroed memory; ends the process where there is none. */
void *new_pages(size_t size);
/* All of a file that has something in it, to be read: 0, or -errno. */
long map_file(int fd, struct iovec *to);

#endif
