// Preloaded into a program: of the calls that change files below FAIL_UNDER the one numbered FAIL_AT fails with the error
// FAIL_WITH (a number). Without FAIL_AT nothing fails, and FAIL_COUNT names a file that gets one byte for each call.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_long calls;

static int is_below(const char* path) {
  const char* folder = getenv("FAIL_UNDER");
  return folder && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_file_below(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t n = readlink(link, path, sizeof path - 1);
  if (n <= 0) return 0;
  path[n] = 0;
  return is_below(path);
}

// Whether this call is the one that fails.
static int is_its_turn(void) {
  const long call = ++calls;
  const char* at = getenv("FAIL_AT");
  if (!at) {
    const char* count = getenv("FAIL_COUNT");
    const int fd = count ? open(count, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600) : -1;
    ssize_t (*const real)(int, const void*, size_t) = dlsym(RTLD_NEXT, "write");
    if (fd >= 0) {
      (void)real(fd, ".", 1);
      close(fd);
    }
    return 0;
  }
  if (call != atol(at)) return 0;
  errno = atoi(getenv("FAIL_WITH"));
  return 1;
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

ssize_t write(int fd, const void* bytes, size_t n) {
  REAL(write);
  return is_file_below(fd) && is_its_turn() ? -1 : real(fd, bytes, n);
}
ssize_t pwrite64(int fd, const void* bytes, size_t n, off64_t at) {
  REAL(pwrite64);
  return is_file_below(fd) && is_its_turn() ? -1 : real(fd, bytes, n, at);
}
int ftruncate64(int fd, off64_t n) {
  REAL(ftruncate64);
  return is_file_below(fd) && is_its_turn() ? -1 : real(fd, n);
}
int fsync(int fd) {
  REAL(fsync);
  return is_file_below(fd) && is_its_turn() ? -1 : real(fd);
}
int rename(const char* from, const char* to) {
  REAL(rename);
  return is_below(to) && is_its_turn() ? -1 : real(from, to);
}
int renameat(int from_fd, const char* from, int to_fd, const char* to) {
  REAL(renameat);
  return (is_below(to) || is_file_below(to_fd)) && is_its_turn() ? -1 : real(from_fd, from, to_fd, to);
}
int linkat(int from_fd, const char* from, int to_fd, const char* to, int flags) {
  REAL(linkat);
  return (is_below(to) || is_file_below(to_fd)) && is_its_turn() ? -1 : real(from_fd, from, to_fd, to, flags);
}
