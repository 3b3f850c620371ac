#include "sandbox/volatile.h"

namespace kiln::sandbox {

namespace {

bool is_below(std::string_view path, std::string_view dir) {
  return path.size() > dir.size() && path.starts_with(dir) && path[dir.size()] == '/';
}

}  // namespace

bool is_kept(std::string_view path, const std::vector<std::string>& names) {
  for (std::string_view name : names) {
    while (name.starts_with('/')) name.remove_prefix(1);
    while (name.ends_with('/')) name.remove_suffix(1);
    if (!name.empty() && (path == name || is_below(path, name))) return true;
  }
  return false;
}

bool is_volatile(std::string_view path, mode_t mode, off_t size) {
  if (S_ISSOCK(mode) || is_below(path, "run")) return true;
  if (S_ISDIR(mode)) return false;
  if (is_below(path, "var/log")) return S_ISREG(mode) && size > 0;
  if (path == "var/cache/ldconfig/aux-cache" || path.ends_with(".dpkg-old")) return true;
  constexpr std::string_view kApt = "var/cache/apt";
  return is_below(path, kApt) && path.ends_with(".bin") && path.find('/', kApt.size() + 1) == std::string_view::npos;
}

}  // namespace kiln::sandbox
