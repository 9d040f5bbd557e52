/*
 * Whole trees of files: copied and removed by descriptors, so that no symlink leads out of them.
 * Functions return 0 or a negated errno.
 */
#ifndef RUNTS_TREE_H
#define RUNTS_TREE_H

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "helper.h"

#define TREE_PATH 4096
#define TREE_CALL 24

/* What the caller sees of the work, and how it ends it early. */
struct tree_report {
  int32_t stop;         /* not 0, from any thread: the work ends with -ECANCELED */
  uint32_t files;       /* done so far */
  char call[TREE_CALL]; /* what failed: "open", "write" */
  char path[TREE_PATH]; /* at which file, below the tree; "" is the tree itself */
};

/*
 * Copies a directory with all that is in it: owners, modes, times, attributes, hard links, holes, nodes and
 * sockets; data is shared where the filesystem can. `to` must not be there yet. What was copied stays.
 */
int32_t rts_tree_copy(const char *from, const char *to, struct tree_report *report);

/* Removes a directory and all that is in it; -EBUSY at a mount, of which nothing is removed. */
int32_t rts_tree_remove(const char *path, struct tree_report *report);

/* Where the work is: the name of each directory is behind that of the one above it. */
struct tree_path {
  struct tree_report *report;
  size_t length; /* of the whole, which may be more than there is room for */
};

/* Goes down to a name; what it gives is for the way back up. */
size_t tree_enter(struct tree_path *path, const char *name);
void tree_leave(struct tree_path *path, size_t length);
/* Notes which call failed here, with errno; gives the negated errno. */
int tree_failed(struct tree_path *path, const char *call);
/* The next name of a directory that is neither . nor ..; NULL at its end, with errno 0. */
struct dirent *tree_next(DIR *directory);
/* -ECANCELED once the caller wants no more. */
int tree_stopped(struct tree_path *path);

/* tree_file.c. What a file has beside its data. `name` "." is the directory itself. */
int tree_attributes(struct tree_path *path, int from, int to, const char *name,
                    const struct stat *st);
/* The data of a regular file of that size, into an empty one. */
int tree_data(struct tree_path *path, int from, int to, const struct stat *st);

/* tree_links.c. Files with several names, and the first of these that was copied. */
struct tree_links;
struct tree_links *tree_links_make(void);
void tree_links_free(struct tree_links *links);
/* The path of the first name; NULL for a file that is new, whose path is noted; -errno in `error`. */
const char *tree_links_find(struct tree_links *links, const struct stat *st, const char *path,
                            int *error);

#endif
