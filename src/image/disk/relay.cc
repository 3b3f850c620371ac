#include "image/disk/relay.h"

#include <system_error>
#include <thread>

namespace kiln::image {

namespace {

constexpr std::size_t kBufferBytes = 256 << 10;  // together they fit into a processor's own cache

Result<> write_batch(const Relay::Batch& batch, Sink& out) {
  if (batch.used != 0) TRY(out.write(std::span<const std::byte>(batch.buffer).first(batch.used)));
  return batch.zeros != 0 ? out.zeros(batch.zeros) : Result<>();
}

}  // namespace

Relay::Relay() {
  for (Batch& batch : batches_) batch.buffer.resize(kBufferBytes);
}

Relay::Batch* Relay::empty() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return stopped_ || given_ - taken_ < batches_.size(); });
  if (stopped_) return nullptr;
  Batch& batch = batches_[given_ % batches_.size()];
  batch.used = 0;
  batch.zeros = 0;
  return &batch;
}

void Relay::give() {
  const std::lock_guard lock(mutex_);
  ++given_;
  changed_.notify_one();
}

void Relay::end() {
  const std::lock_guard lock(mutex_);
  no_more_ = true;
  changed_.notify_one();
}

Relay::Batch* Relay::next() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return no_more_ || taken_ < given_; });
  return taken_ < given_ ? &batches_[taken_ % batches_.size()] : nullptr;
}

void Relay::took(bool last) {
  const std::lock_guard lock(mutex_);
  ++taken_;
  stopped_ = last;
  changed_.notify_one();
}

Result<> Relay::write_to(Sink& out) {
  while (const Batch* batch = next()) {
    Result<> done = write_batch(*batch, out);
    took(!done);
    if (!done) return done;
  }
  return {};
}

Result<> pour_ahead(Sink& out, const std::function<Result<>(Relay& relay)>& read) {
  Relay relay;
  Result<> did_read;
  std::thread reader;
  try {
    reader = std::thread([&] {
      did_read = read(relay);
      relay.end();
    });
  } catch (const std::system_error& e) {
    return errno_error(e.code().value(), "start a reading thread");
  }
  const Result<> written = relay.write_to(out);
  reader.join();
  return written ? did_read : written;
}

}  // namespace kiln::image
