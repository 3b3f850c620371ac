#include "base/library.h"

#include <dlfcn.h>

namespace kiln {

Result<Library> Library::load(const std::string& soname) {
  void* const handle = ::dlopen(soname.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    const char* why = ::dlerror();
    return error(Errc::not_found, "cannot load {}: {}", soname, why == nullptr ? "unknown reason" : why);
  }
  return Library(soname, handle);
}

Result<void*> Library::address_of(const char* name) const {
  void* const found = ::dlsym(handle_, name);
  if (found == nullptr) return error(Errc::not_found, "{} has no {}", soname_, name);
  return found;
}

}  // namespace kiln
