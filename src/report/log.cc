#include "base/file.h"
#include "event/json.h"
#include "report/output.h"
#include "report/report.h"

namespace kiln::report {

namespace {

/// The longest line that is read: the list of a run with ten thousand steps has 2 MB.
constexpr std::size_t kMaxLine = std::size_t{16} << 20;
constexpr std::size_t kChunk = std::size_t{256} << 10;

class EventLog : public event::EventSink {
 public:
  explicit EventLog(int fd) : out_(fd) {}
  void on(const event::Event& event) noexcept override { out_.write(event::render_event(event) + "\n"); }

 private:
  Output out_;
};

}  // namespace

std::unique_ptr<event::EventSink> make_event_log(int fd) {
  return std::make_unique<EventLog>(fd);
}

Result<> replay(const fs::path& log, event::EventSink& sink) {
  const Fd file = TRY(open_read(log));
  std::string rest;
  std::vector<std::byte> buffer(kChunk);
  for (std::size_t number = 1;;) {
    const std::size_t n = TRY(read_full(file.get(), buffer).context("reading {}", log));
    if (n == 0) return {};
    rest += as_text({buffer.data(), n});
    std::size_t from = 0;
    for (std::size_t end = rest.find('\n'); end != std::string::npos; end = rest.find('\n', from), ++number) {
      sink.on(TRY(event::parse_event(std::string_view(rest).substr(from, end - from)).context("{}:{}", log, number)));
      from = end + 1;
    }
    rest.erase(0, from);
    if (rest.size() > kMaxLine) return error(Errc::corrupt, "{}:{}: longer than {} bytes", log, number, kMaxLine);
  }
}

}  // namespace kiln::report
