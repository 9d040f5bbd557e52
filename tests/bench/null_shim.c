/*
 * A shim without containers, as the floor of what runs through containerd: it answers each call as if a program had
 * been made, started, and ended at once. One process a task, as runc's shim has it; no events.
 */
#define _GNU_SOURCE 1
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define HEAD 10
#define FRAME_MAX (4u << 20)

/* Bytes of a message of protocol buffers. */
struct bytes {
  const uint8_t *at;
  size_t length;
};

static uint64_t varint(struct bytes *b) {
  uint64_t value = 0;
  for (int shift = 0; b->length > 0; shift += 7) {
    uint8_t byte = *b->at++;
    b->length--;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (!(byte & 0x80))
      break;
  }
  return value;
}

/* The field of that number, which holds bytes. */
static struct bytes field(struct bytes b, uint64_t number) {
  while (b.length > 0) {
    uint64_t key = varint(&b), size = varint(&b);
    if ((key & 7) != 2)
      continue;
    struct bytes found = {b.at, size};
    if (key >> 3 == number)
      return found;
    b.at += size;
    b.length -= size;
  }
  return (struct bytes){0};
}

static int is(struct bytes b, const char *text) {
  return b.length == strlen(text) && memcmp(b.at, text, b.length) == 0;
}

/* The client finds the end of what the program has written. */
static void open_and_close(struct bytes path) {
  char text[512];
  if (path.length == 0 || path.length >= sizeof text)
    return;
  memcpy(text, path.at, path.length);
  text[path.length] = '\0';
  close(open(text, O_WRONLY | O_CLOEXEC));
}

static void answer(int fd, uint32_t stream, const uint8_t *payload, size_t length) {
  uint8_t frame[HEAD + 64] = {0};
  uint32_t numbers[2] = {htonl((uint32_t)length + 2), stream};
  memcpy(frame, numbers, sizeof numbers);
  frame[8] = 2;
  frame[HEAD] = 0x12;
  frame[HEAD + 1] = (uint8_t)length;
  memcpy(frame + HEAD + 2, payload, length);
  if (write(fd, frame, HEAD + 2 + length) < 0)
    exit(1);
}

/* `started`: of the one task that it has. */
static void serve(int fd, uint32_t stream, struct bytes request, int *started) {
  static const uint8_t made[] = {0x08, 1};                    /* pid */
  static const uint8_t ended[] = {0x08, 0, 0x12, 2, 0x08, 1}; /* exit_status, exited_at */
  static const uint8_t gone[] = {0x08, 1, 0x1a, 2, 0x08, 1};  /* pid, exited_at */
  uint8_t state[] = {0x18, 1, 0x20, *started ? 3 : 1};        /* pid, status */
  struct bytes method = field(request, 2), payload = field(request, 3);
  if (is(method, "Create")) {
    answer(fd, stream, made, sizeof made);
    open_and_close(field(payload, 6));
    open_and_close(field(payload, 7));
  } else if (is(method, "Exec")) {
    answer(fd, stream, NULL, 0);
    open_and_close(field(payload, 5));
    open_and_close(field(payload, 6));
  } else if (is(method, "Start")) {
    *started = 1;
    answer(fd, stream, made, sizeof made);
  } else if (is(method, "Wait")) {
    answer(fd, stream, ended, sizeof ended);
  } else if (is(method, "State")) {
    answer(fd, stream, state, sizeof state);
  } else if (is(method, "Delete")) {
    answer(fd, stream, gone, sizeof gone);
  } else {
    answer(fd, stream, NULL, 0);
    if (is(method, "Shutdown"))
      exit(0);
  }
}

static int take(int fd, void *to, size_t size) {
  return recv(fd, to, size, MSG_WAITALL) == (ssize_t)size;
}

/* One connection at a time: containerd has no more. */
static void work(int listening) {
  static uint8_t bytes[FRAME_MAX];
  int started = 0;
  for (;;) {
    int fd = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
    uint8_t head[HEAD];
    while (fd >= 0 && take(fd, head, HEAD)) {
      uint32_t numbers[2];
      memcpy(numbers, head, sizeof numbers);
      size_t length = ntohl(numbers[0]);
      if (length > FRAME_MAX || !take(fd, bytes, length))
        break;
      serve(fd, numbers[1], (struct bytes){bytes, length}, &started);
    }
    close(fd);
  }
}

static int start(void) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  snprintf(to.sun_path, sizeof to.sun_path, "/run/null-shim-%d", getpid());
  int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(listening, (struct sockaddr *)&to, sizeof to) != 0 || listen(listening, 8) != 0)
    return 1;
  FILE *file = fopen("address", "w");
  if (!file || fprintf(file, "unix://%s", to.sun_path) < 0 || fclose(file) != 0)
    return 1;
  if (fork() == 0) {
    setsid();
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++)
      dup2(null, fd);
    work(listening);
  }
  return printf("unix://%s", to.sun_path) < 0;
}

int main(int argc, char **argv) {
  static const uint8_t deleted[] = {0x1a, 2, 0x08, 1}; /* exited_at */
  if (argc > 1 && strcmp(argv[argc - 1], "start") == 0)
    return start();
  return fwrite(deleted, sizeof deleted, 1, stdout) != 1;
}
