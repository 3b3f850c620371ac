#include "report/lines.h"

#include <array>
#include <ctime>

#include "base/text.h"

namespace kiln::report {

namespace {

constexpr std::array kBuildColours = {32, 36, 35, 33, 34};  // green, cyan, magenta, yellow, blue: Packer's order
constexpr int kErrorColour = 31;

/// "2026-11-23T02:46:42+05:30", "...Z" at Greenwich: Go's RFC 3339 in local time.
std::string local_rfc3339(std::int64_t ms) {
  const std::time_t seconds = ms / 1000;
  std::tm local{};
  localtime_r(&seconds, &local);
  std::string text = fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", local.tm_year + 1900, local.tm_mon + 1,
                                 local.tm_mday, local.tm_hour, local.tm_min, local.tm_sec);
  const long minutes = local.tm_gmtoff / 60;
  if (minutes == 0) return text + "Z";
  const long east = minutes < 0 ? -minutes : minutes;
  return text + fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+', east / 60, east % 60);
}

std::string escaped(std::string data) {
  data = replace_all(std::move(data), ",", "%!(PACKER_COMMA)");
  data = replace_all(std::move(data), "\r", "\\r");
  return replace_all(std::move(data), "\n", "\\n");
}

}  // namespace

std::string coloured(const Saying& saying) {
  if (!saying.build) return saying.text;
  const int colour =
      saying.kind == Saying::Kind::error ? kErrorColour : kBuildColours[*saying.build % kBuildColours.size()];
  std::vector<std::string> lines = split(saying.text, '\n');
  for (std::string& line : lines) line = fmt::format("\x1b[1;{}m{}\x1b[0m", colour, line);
  return join(lines, "\n");
}

void PlainReport::on(const event::Event& event) noexcept {
  std::string text;
  const auto add = [&](const Saying& saying) { text += (options_.colour ? coloured(saying) : saying.text) + "\n"; };
  if (const auto* run = std::get_if<event::RunStarted>(&event.what); run != nullptr && options_.colour) {
    for (std::size_t i = 0; i < run->builds.size(); ++i) {
      add({Saying::Kind::say, i, visible(run->builds[i].name) + ": output will be in this color."});
    }
    if (!run->builds.empty()) text += "\n";
  }
  for (Saying& saying : voice_.on(event)) {
    if (saying.kind == Saying::Kind::machine) continue;
    if (options_.timestamps && saying.build) saying.text = local_rfc3339(event.at_ms) + ": " + saying.text;
    add(saying);
  }
  out_.write(text);
}

void MachineReport::on(const event::Event& event) noexcept {
  std::string text;
  for (Saying& saying : voice_.on(event)) {
    if (saying.kind != Saying::Kind::machine) {
      saying.type = "ui";
      saying.data = {saying.kind == Saying::Kind::error ? "error" : "say", saying.text};
    }
    text += fmt::format("{},{},{}", event.at_ms / 1000, saying.target, saying.type);
    for (const std::string& data : saying.data) text += "," + escaped(data);
    text += "\n";
  }
  out_.write(text);
}

}  // namespace kiln::report
