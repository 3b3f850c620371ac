// The reader that draws on a terminal: keeps the state, and a thread that paints it.
#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/time.h"
#include "report/output.h"
#include "report/report.h"
#include "report/terminal/painter.h"

namespace kiln::report {

/// Only the thread writes; it paints every 100 ms and a last time when the run is over or the reader goes.
class LiveReport : public event::EventSink {
 public:
  /// Throws std::system_error when there can be no thread.
  LiveReport(int fd, const Options& options);
  LiveReport(const LiveReport&) = delete;
  LiveReport& operator=(const LiveReport&) = delete;
  ~LiveReport() override;
  void on(const event::Event& event) noexcept override;

 private:
  void paint_until_stopped();
  void stop();

  const Clock::time_point start_ = Clock::now();
  std::mutex mutex_;
  std::condition_variable wake_;
  RunState state_;     // under mutex_
  bool stop_ = false;  // under mutex_
  Output out_;         // the thread's
  Painter painter_;    // the thread's
  std::thread thread_;
};

/// The size of the terminal; 80 by 24 where it does not say.
Size size_of_terminal(int fd);

}  // namespace kiln::report
