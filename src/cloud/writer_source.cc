#include "cloud/writer_source.h"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>

namespace kiln::cloud {

namespace {

constexpr std::size_t kAhead = 512 << 10;
constexpr auto kLook = std::chrono::milliseconds(100);  // how often a waiting side looks at the cancel flag

class WriterSource : public Source, private Sink {
 public:
  WriterSource(SinkWriter write, const Cancel& cancel) : cancel_(cancel) {
    thread_ = std::thread([this, write = std::move(write)] {
      Result<> result = write(static_cast<Sink&>(*this));
      const std::scoped_lock lock(mutex_);
      ended_ = true;
      if (!result) problem_ = std::move(result).error();
      changed_.notify_all();
    });
  }
  ~WriterSource() override {
    {
      const std::scoped_lock lock(mutex_);
      reader_left_ = true;
      changed_.notify_all();
    }
    thread_.join();
  }
  WriterSource(const WriterSource&) = delete;
  WriterSource& operator=(const WriterSource&) = delete;

  Result<std::size_t> read(std::span<std::byte> buffer) override {
    std::unique_lock lock(mutex_);
    while (held_.empty() && !ended_) {
      changed_.wait_for(lock, kLook);
      TRY(cancel_.check());
    }
    if (held_.empty()) {
      if (problem_) return *problem_;
      return std::size_t{0};
    }
    const std::size_t n = std::min(buffer.size(), held_.size() - used_);
    std::memcpy(buffer.data(), held_.data() + used_, n);
    used_ += n;
    if (used_ == held_.size()) {
      held_.clear();
      used_ = 0;
      changed_.notify_all();
    }
    return n;
  }

 private:
  Result<> write(std::span<const std::byte> bytes) override {
    std::unique_lock lock(mutex_);
    while (held_.size() >= kAhead && !reader_left_ && !cancel_.cancelled()) changed_.wait_for(lock, kLook);
    TRY(cancel_.check());
    if (reader_left_) return error(Errc::interrupted, "nobody reads any more");
    held_.append(as_text(bytes));
    changed_.notify_all();
    return {};
  }

  const Cancel& cancel_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::string held_;
  std::size_t used_ = 0;
  bool ended_ = false, reader_left_ = false;
  std::optional<Error> problem_;
  std::thread thread_;
};

}  // namespace

std::unique_ptr<Source> source_of_writer(SinkWriter write, const Cancel& cancel) {
  return std::make_unique<WriterSource>(std::move(write), cancel);
}

}  // namespace kiln::cloud
