// Errors as values: Error, Result<T> and TRY. Everything in kiln that can fail for a reason outside the program returns
// Result<T>; exceptions do not cross rooms. A class of our own because clang 14 cannot compile std::expected.
#pragma once

#include <fmt/format.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

template <>
struct fmt::formatter<std::filesystem::path> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const std::filesystem::path& p, Context& ctx) const {
    return fmt::formatter<std::string_view>::format(p.native(), ctx);
  }
};

namespace kiln {

namespace fs = std::filesystem;

/// What kind of thing went wrong, for code that decides. Text is for people; never compare text.
enum class Errc : std::uint8_t {
  usage,         // the command line is wrong
  bad_template,  // the template is wrong
  not_found,
  io,           // the operating system refused for another reason
  no_space,     // the disk or its inodes are full
  corrupt,      // data from outside breaks its format or its digest
  denied,       // permission, policy
  network,      // a peer did not answer, or answered with an error that a retry may cure
  step_failed,  // a provisioner ended with an exit code that is not valid
  interrupted,  // a signal or -on-error asked to stop
};

class Error {
 public:
  Error(Errc code, std::string what) : code_(code), frames_{std::move(what)} {}
  Errc code() const { return code_; }
  /// Innermost first.
  const std::vector<std::string>& frames() const { return frames_; }
  /// Outermost first, joined with ": ".
  std::string text() const;
  void push(std::string purpose) { frames_.push_back(std::move(purpose)); }

 private:
  Errc code_;
  std::vector<std::string> frames_;
};

template <class T = void>
class [[nodiscard]] Result {
  using Box = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

 public:
  Result() requires std::is_void_v<T>
  = default;
  template <class U = Box>
  requires(!std::is_void_v<T> && std::is_constructible_v<Box, U> && !std::is_same_v<std::remove_cvref_t<U>, Result> &&
           !std::is_same_v<std::remove_cvref_t<U>, Error>) Result(U&& v)
      : v_(std::in_place_index<0>, std::forward<U>(v)) {}
  Result(Error e) : v_(std::in_place_index<1>, std::move(e)) {}

  bool ok() const { return v_.index() == 0; }
  explicit operator bool() const { return ok(); }
  const Error& error() const& { return std::get<1>(v_); }
  Error&& error() && { return std::get<1>(std::move(v_)); }
  decltype(auto) operator*() & requires(!std::is_void_v<T>) { return (std::get<0>(v_)); }
  decltype(auto) operator*() const& requires(!std::is_void_v<T>) { return (std::get<0>(v_)); }
  auto* operator->() requires(!std::is_void_v<T>) { return &std::get<0>(v_); }
  T take() && {
    if constexpr (!std::is_void_v<T>) return std::get<0>(std::move(v_));
  }
  /// Adds what was being attempted; formatted only when there is an error.
  template <class... A>
  Result context(fmt::format_string<A...> f, A&&... a) && {
    if (!ok()) std::get<1>(v_).push(fmt::format(f, std::forward<A>(a)...));
    return std::move(*this);
  }

 private:
  std::variant<Box, Error> v_;
};

/// An error whose text is formatted.
template <class... A>
Error error(Errc code, fmt::format_string<A...> f, A&&... a) {
  return Error(code, fmt::format(f, std::forward<A>(a)...));
}

/// The kind that an errno stands for.
Errc errc_of(int errno_value);

/// An error for an errno value: "what: No such file or directory".
Error errno_error(int errno_value, std::string what);

/// The same from errno itself. Give it a path as it is, not path.string(): evaluating an argument may change errno.
template <class... A>
Error sys_error(fmt::format_string<A...> f, A&&... a) {
  const int e = errno;
  return errno_error(e, fmt::format(f, std::forward<A>(a)...));
}

/// Yields the value, or returns the error to the caller.
#define TRY(...)                                           \
  __extension__({                                          \
    auto try_result = (__VA_ARGS__);                       \
    if (!try_result) return std::move(try_result).error(); \
    std::move(try_result).take();                          \
  })

}  // namespace kiln
