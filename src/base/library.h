// Shared libraries that are loaded at their first use: for those that bring so many others with them that a short run
// of kiln would spend most of its time on them.
#pragma once

#include "base/error.h"

namespace kiln {

/// Stays loaded until the program ends; what was found in it stays valid.
class Library {
 public:
  /// Loads it by its soname. Errc::not_found says what the loader says.
  static Result<Library> load(const std::string& soname);
  /// Sets `function` to what the library has under the name; Errc::not_found when it has no such thing.
  template <class Function>
  Result<> find(const char* name, Function*& function) const {
    void* const found = TRY(address_of(name));
    function = reinterpret_cast<Function*>(found);
    return {};
  }

 private:
  Library(std::string soname, void* handle) : soname_(std::move(soname)), handle_(handle) {}
  Result<void*> address_of(const char* name) const;
  std::string soname_;
  void* handle_;
};

}  // namespace kiln
