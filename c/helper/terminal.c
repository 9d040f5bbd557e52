/* Modes and sizes of terminals. */
#define _GNU_SOURCE 1
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "helper.h"

int32_t rts_is_terminal(int32_t fd) {
  struct termios mode;
  int result = RETRY(tcgetattr(fd, &mode));
  if (result == 0)
    return 1;
  return result == -EBADF ? result : 0;
}

int32_t rts_window_get(int32_t fd, uint16_t *rows_cols) {
  struct winsize size;
  int result = RETRY(ioctl(fd, TIOCGWINSZ, &size));
  if (result < 0)
    return result;
  rows_cols[0] = size.ws_row;
  rows_cols[1] = size.ws_col;
  return 0;
}

int32_t rts_window_set(int32_t fd, uint16_t rows, uint16_t cols) {
  struct winsize size = {.ws_row = rows, .ws_col = cols};
  return RETRY(ioctl(fd, TIOCSWINSZ, &size));
}

int32_t rts_raw_mode(int32_t fd, uint8_t *saved, uint32_t size) {
  struct termios mode;
  if (size < sizeof mode)
    return -EINVAL;
  int result = RETRY(tcgetattr(fd, &mode));
  if (result < 0)
    return result;
  memcpy(saved, &mode, sizeof mode);
  tcflag_t output = mode.c_oflag;
  cfmakeraw(&mode);
  mode.c_oflag = output; /* newlines come bare from the container's terminal */
  return RETRY(tcsetattr(fd, TCSANOW, &mode));
}

int32_t rts_restore_mode(int32_t fd, const uint8_t *saved, uint32_t size) {
  struct termios mode;
  if (size < sizeof mode)
    return -EINVAL;
  memcpy(&mode, saved, sizeof mode);
  return RETRY(tcsetattr(fd, TCSANOW, &mode));
}

int32_t rts_clear_onlcr(int32_t fd) {
  struct termios mode;
  int result = RETRY(tcgetattr(fd, &mode));
  if (result < 0)
    return result;
  mode.c_oflag &= ~(tcflag_t)ONLCR;
  return RETRY(tcsetattr(fd, TCSANOW, &mode));
}
