#include "report/report.h"

#include <algorithm>
#include <system_error>

#include "report/lines.h"
#include "report/terminal/live.h"

namespace kiln::report {

namespace {

bool is_utf8_locale(std::string locale) {
  std::ranges::transform(locale, locale.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c - 'A' + 'a') : c; });
  return locale.find("utf-8") != std::string::npos || locale.find("utf8") != std::string::npos;
}

}  // namespace

Style style_for(const Wishes& wishes) {
  if (wishes.machine_readable) return Style::machine;
  const bool can_move = !wishes.term.empty() && wishes.term != "dumb";
  return wishes.is_terminal && can_move && !wishes.timestamps ? Style::live : Style::plain;
}

Options options_for(const Wishes& wishes) {
  const bool refused = !wishes.no_color.empty() || !wishes.packer_no_color.empty() || wishes.term == "dumb";
  return {.colour = wishes.colour.value_or(wishes.is_terminal && !refused),
          .timestamps = wishes.timestamps,
          .unicode = is_utf8_locale(wishes.locale)};
}

std::unique_ptr<event::EventSink> make_report(Style style, int fd, const Options& options) {
  if (style == Style::machine) return std::make_unique<MachineReport>(fd);
  if (style == Style::live) {
    try {
      return std::make_unique<LiveReport>(fd, options);
    } catch (const std::system_error&) {  // no thread to be had: lines need none
    }
  }
  return std::make_unique<PlainReport>(fd, options);
}

}  // namespace kiln::report
