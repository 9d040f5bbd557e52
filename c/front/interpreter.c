/*
 * The executable names no ld.so, so that the kernel enters it at once: many commands need no Deno, and
 * ld.so alone takes longer than they do. For those that do, ld.so is mapped here, and finds a copy of
 * the program headers that names it.
 */
#include "interpreter.h"

#include <elf.h>
#include <errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>

#include "auxv.h"
#include "link_data.h"
#include "say.h"
#include "syscall.h"
#include "text.h"

#define SEGMENTS_MAX 32
#define DEFAULT_PAGE 4096
/* What a shell says of a program that cannot be loaded. */
#define NOT_FOUND 127
#define PATH_SHOWN 256

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#else
#define MACHINE EM_AARCH64
#endif

/* What is known of the file. */
struct image {
  const char *path;
  int fd;
  uint64_t page;
  Elf64_Ehdr header;
  Elf64_Phdr segments[SEGMENTS_MAX];
  uint64_t bias;
};

static void __attribute__((noreturn))
fail(const struct image *image, const char *what, long negative_errno) {
  char text[PATH_SHOWN + 32];
  size_t shown = length(image->path) < PATH_SHOWN ? length(image->path) : PATH_SHOWN;
  char *end = put_string(text, what);
  for (size_t i = 0; i < shown; i++)
    *end++ = image->path[i];
  *end = 0;
  die(text, negative_errno, ": runts needs the GNU C library there", NOT_FOUND);
}

static uint64_t down(const struct image *image, uint64_t address) {
  return address & -image->page;
}

static uint64_t up(const struct image *image, uint64_t address) {
  return down(image, address + image->page - 1);
}

static void read_at(const struct image *image, void *to, uint64_t size, uint64_t offset) {
  long n = sys4(SYS_PREAD64, image->fd, (long)to, (long)size, (long)offset);
  if (n != (long)size)
    fail(image, "read ", n < 0 ? n : -ENOEXEC);
}

static void read_headers(struct image *image) {
  Elf64_Ehdr *header = &image->header;
  read_at(image, header, sizeof *header, 0);
  if (*(uint32_t *)header->e_ident != *(const uint32_t *)ELFMAG ||
      header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != MACHINE ||
      header->e_type != ET_DYN || header->e_phentsize != sizeof(Elf64_Phdr) ||
      header->e_phnum > SEGMENTS_MAX)
    fail(image, "load ", -ENOEXEC);
  read_at(image, image->segments, header->e_phnum * sizeof(Elf64_Phdr), header->e_phoff);
}

static long map(const struct image *image, uint64_t from, uint64_t to, int prot, int flags,
                uint64_t offset) {
  int fd = flags & MAP_ANONYMOUS ? -1 : image->fd;
  long result =
      sys6(SYS_MMAP, (long)from, (long)(to - from), prot, MAP_PRIVATE | flags, fd, (long)offset);
  if (result < 0 && result > -4096)
    fail(image, "map ", result);
  return result;
}

/* Addresses for all segments in one piece, wherever the kernel likes. */
static void reserve(struct image *image) {
  uint64_t low = UINT64_MAX, high = 0;
  for (int i = 0; i < image->header.e_phnum; i++) {
    const Elf64_Phdr *segment = &image->segments[i];
    if (segment->p_type != PT_LOAD)
      continue;
    if (segment->p_vaddr < low)
      low = down(image, segment->p_vaddr);
    if (segment->p_vaddr + segment->p_memsz > high)
      high = up(image, segment->p_vaddr + segment->p_memsz);
  }
  if (low >= high)
    fail(image, "load ", -ENOEXEC);
  image->bias = (uint64_t)map(image, 0, high - low, PROT_NONE, MAP_ANONYMOUS, 0) - low;
}

static void map_segment(const struct image *image, const Elf64_Phdr *segment) {
  uint64_t start = image->bias + segment->p_vaddr;
  uint64_t file_end = start + segment->p_filesz, end = start + segment->p_memsz;
  int prot = (segment->p_flags & PF_R ? PROT_READ : 0) |
             (segment->p_flags & PF_W ? PROT_WRITE : 0) | (segment->p_flags & PF_X ? PROT_EXEC : 0);
  map(image, down(image, start), up(image, file_end), prot, MAP_FIXED,
      down(image, segment->p_offset));
  if (end == file_end)
    return;
  /* To the end of the page, not of the segment: ld.so allocates from the rest. */
  for (char *at = (char *)file_end; at < (char *)up(image, file_end); at++)
    *at = 0;
  if (up(image, end) > up(image, file_end))
    map(image, up(image, file_end), up(image, end), prot, MAP_FIXED | MAP_ANONYMOUS, 0);
}

static void change(uint64_t *auxv, const struct image *image) {
  for (; auxv[0] != AT_NULL; auxv += 2) {
    if (auxv[0] == AT_PHDR)
      auxv[1] = (uint64_t)linked(front_link_data.headers);
    else if (auxv[0] == AT_PHNUM)
      auxv[1] = (uint64_t)front_link_data.headers_count;
    else if (auxv[0] == AT_BASE)
      auxv[1] = image->bias;
    else if (auxv[0] == AT_ENTRY)
      auxv[1] = (uint64_t)linked(front_link_data.entry);
  }
}

uintptr_t load_interpreter(uint64_t *auxv) {
  struct image image = {.path = linked(front_link_data.interpreter)};
  image.page = auxv_value(auxv, AT_PAGESZ, DEFAULT_PAGE);
  long fd = sys4(SYS_OPENAT, AT_FDCWD, (long)image.path, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0)
    fail(&image, "open ", fd);
  image.fd = (int)fd;
  read_headers(&image);
  reserve(&image);
  for (int i = 0; i < image.header.e_phnum; i++)
    if (image.segments[i].p_type == PT_LOAD)
      map_segment(&image, &image.segments[i]);
  sys1(SYS_CLOSE, fd);
  change(auxv, &image);
  return image.bias + image.header.e_entry;
}
