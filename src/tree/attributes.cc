#include "tree/tree.h"

#include <sys/xattr.h>

#include <cstring>

namespace kiln::tree {

namespace {

/// Version 3 (with the id of a user namespace's root) to version 2: <linux/capability.h>, struct vfs_cap_data.
std::string version_two(const std::string& value) {
  constexpr std::size_t kThree = 24, kTwo = 20;
  if (value.size() != kThree) return value;
  std::string two = value.substr(0, kTwo);
  two[3] = 2;  // the revision is the top byte of a little-endian word
  return two;
}

Result<std::string> list_of(const std::string& path) {
  std::string names(1024, '\0');
  for (;;) {
    const ssize_t n = ::llistxattr(path.c_str(), names.data(), names.size());
    if (n >= 0) return names.substr(0, static_cast<std::size_t>(n));
    if (errno == ENOTSUP) return std::string();
    if (errno != ERANGE) return sys_error("list attributes of {}", path);
    names.resize(names.size() * 4);
  }
}

Result<std::string> value_of(const std::string& path, const char* name) {
  std::string value(256, '\0');
  for (;;) {
    const ssize_t n = ::lgetxattr(path.c_str(), name, value.data(), value.size());
    if (n >= 0) return value.substr(0, static_cast<std::size_t>(n));
    if (errno != ERANGE) return sys_error("read attribute {} of {}", name, path);
    value.resize(value.size() * 4);
  }
}

}  // namespace

Result<Attributes> attributes_of(const std::string& path) {
  Attributes all;
  const std::string names = TRY(list_of(path));
  for (std::size_t at = 0; at < names.size(); at += std::strlen(names.c_str() + at) + 1) {
    const char* name = names.c_str() + at;
    all[name] = TRY(value_of(path, name));
  }
  return all;
}

bool is_kept_attribute(const std::string& name) {
  if (name.starts_with("user.")) return !name.starts_with("user.overlay.");
  return name == "security.capability" || name == "system.posix_acl_access" || name == "system.posix_acl_default";
}

Attributes canonical_attributes(const Attributes& attributes) {
  Attributes kept;
  for (const auto& [name, value] : attributes) {
    if (is_kept_attribute(name)) kept[name] = name == "security.capability" ? version_two(value) : value;
  }
  return kept;
}

Result<> set_attributes(const std::string& path, const Attributes& now, const Attributes& wanted) {
  for (const auto& [name, value] : now) {
    if (wanted.contains(name)) continue;
    if (::lremovexattr(path.c_str(), name.c_str()) != 0 && errno != ENODATA) {
      return sys_error("remove attribute {} of {}", name, path);
    }
  }
  for (const auto& [name, value] : wanted) {
    const auto old = now.find(name);
    if (old != now.end() && old->second == value) continue;
    if (::lsetxattr(path.c_str(), name.c_str(), value.data(), value.size(), 0) != 0) {
      return sys_error("set attribute {} of {}", name, path);
    }
  }
  return {};
}

}  // namespace kiln::tree
