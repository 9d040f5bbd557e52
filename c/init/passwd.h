/* The container's own user database. */
#ifndef RUNTS_PASSWD_H
#define RUNTS_PASSWD_H

#include <limits.h>
#include <stdint.h>

/*
 * The home directory that /etc/passwd (passwd(5)) gives the uid; "/" if there is no such file,
 * line or directory. The file is the container's: it may be of any size and form.
 */
void passwd_home(uint64_t uid, char out[PATH_MAX]);

/* As above, of one line without its newline: false unless it is a line of that uid with a home. */
int passwd_line_home(char *line, uint64_t uid, char out[PATH_MAX]);

#endif
