#include "base/error.h"

namespace kiln {

std::string Error::text() const {
  std::string out;
  for (auto it = frames_.rbegin(); it != frames_.rend(); ++it) {
    if (!out.empty()) out += ": ";
    out += *it;
  }
  return out;
}

Errc errc_of(int errno_value) {
  switch (errno_value) {
    case ENOENT:
    case ENOTDIR:
      return Errc::not_found;
    case EACCES:
    case EPERM:
    case EROFS:
      return Errc::denied;
    case ENOSPC:
    case EDQUOT:
      return Errc::no_space;
    case ECANCELED:
      return Errc::interrupted;
    case ECONNREFUSED:
    case ECONNRESET:
    case ETIMEDOUT:
    case EHOSTUNREACH:
    case ENETUNREACH:
      return Errc::network;
    default:
      return Errc::io;
  }
}

Error errno_error(int errno_value, std::string what) {
  return Error(errc_of(errno_value), fmt::format("{}: {}", what, std::strerror(errno_value)));
}

}  // namespace kiln
