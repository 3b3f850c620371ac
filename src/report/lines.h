// The readers that write line by line: Packer's human lines and its machine-readable ones. Private to the report room.
#pragma once

#include "report/output.h"
#include "report/report.h"
#include "report/voice.h"

namespace kiln::report {

/// "ESC[1;32m...ESC[0m" around every line: the colour of a build (by its index), or red for errors.
std::string coloured(const Saying& saying);

class PlainReport : public event::EventSink {
 public:
  PlainReport(int fd, const Options& options) : out_(fd), options_(options) {}
  void on(const event::Event& event) noexcept override;

 private:
  Output out_;
  Options options_;
  Voice voice_;
};

class MachineReport : public event::EventSink {
 public:
  explicit MachineReport(int fd) : out_(fd) {}
  void on(const event::Event& event) noexcept override;

 private:
  Output out_;
  Voice voice_;
};

}  // namespace kiln::report
