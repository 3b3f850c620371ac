#include "store/space.h"

#include <sys/statvfs.h>

#include "base/text.h"

namespace kiln::store {

std::string space_report(const fs::path& path) {
  struct statvfs st {};
  fs::path asked = path;
  while (::statvfs(asked.c_str(), &st) != 0) {
    if (!asked.has_relative_path()) return fmt::format("no space left for {}", path);
    asked = asked.parent_path();
  }
  if (st.f_files > 0 && st.f_favail == 0) {
    return fmt::format("no inode left for {} (0 of {} free): remove files there", path, st.f_files);
  }
  const std::uint64_t free = std::uint64_t{st.f_bavail} * st.f_frsize;
  const std::uint64_t total = std::uint64_t{st.f_blocks} * st.f_frsize;
  return fmt::format("no space left for {} ({} of {} free): make room there", path, human_bytes(free),
                     human_bytes(total));
}

}  // namespace kiln::store
