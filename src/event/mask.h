// Keeps secrets out of every report: the one place that all facts pass before any reader sees them (hardening section
// 12). Secrets come from sensitive variables and locals.
#pragma once

#include <map>
#include <span>
#include <unordered_map>

#include "event/event.h"

namespace kiln::event {

/// Finds secrets in text, all at once. Made once, then only read; may be shared by threads.
class SecretMask {
 public:
  static constexpr std::size_t kMinSecret = 4;  // characters; shorter ones would blot out ordinary words
  static constexpr std::size_t kMinForm = 8;    // from here on also its encoded forms are looked for

  SecretMask() = default;
  /// Looks for each secret, for each line of one that has several (without the spaces around it), and, from 8
  /// characters on, for its JSON, URL, shell, hex and base64 forms. What is shorter than 4 characters is left out.
  explicit SecretMask(std::span<const std::string> secrets);
  /// The text with every secret replaced by "<sensitive>"; secrets that overlap become one.
  std::string mask(std::string_view text) const;
  /// Bytes of the longest thing looked for; 0 when there is nothing to look for.
  std::size_t longest() const { return longest_; }

  struct Range {
    std::size_t begin, end;
  };
  /// Where secrets stand in the text: in order, not overlapping.
  std::vector<Range> find(std::string_view text) const;
  static std::string replace(std::string_view text, std::span<const Range> ranges);

 private:
  void add(const std::string& pattern);
  std::unordered_map<std::uint32_t, std::vector<std::string>> by_start_;  // first four bytes -> longest first
  std::size_t longest_ = 0;
};

/// Passes facts on with the secrets in their texts masked. kiln's own words (kinds, outcomes, digests) are left alone.
/// A line that LineSplitter cut for its length keeps its end back for the next one, so that a secret across the cut is
/// found too.
class MaskingSink : public EventSink {
 public:
  /// Both belong to somebody else and outlive it.
  MaskingSink(const SecretMask& mask, EventSink& next) : mask_(mask), next_(next) {}
  void on(const Event& event) noexcept override;

 private:
  using Stream = std::pair<StepId, bool>;  // step, is_stderr
  void on_line(Event event);
  void flush(std::int64_t at_ms, StepId id);
  const SecretMask& mask_;
  EventSink& next_;
  std::map<Stream, std::string> held_;
};

}  // namespace kiln::event
