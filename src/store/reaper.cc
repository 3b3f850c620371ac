#include "store/reaper.h"

#include <system_error>

namespace kiln::store {

Reaper::~Reaper() {
  {
    const std::lock_guard guard(mutex_);
    no_more_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Reaper::take(fs::path dir, LockFile lock) {
  const std::lock_guard guard(mutex_);
  left_.push_back({std::move(dir), std::move(lock)});
  changed_.notify_all();
  if (thread_.joinable()) return;
  try {
    thread_ = std::thread([this] { work(); });
  } catch (const std::system_error&) {  // no thread to be had: at once, then
    for (const Corpse& corpse : left_) remove_scratch(corpse.dir);
    left_.clear();
  }
}

void Reaper::finish() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return left_.empty() && !busy_; });
}

void Reaper::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [&] { return no_more_ || !left_.empty(); });
    if (left_.empty()) return;
    const Corpse corpse = std::move(left_.front());
    left_.pop_front();
    busy_ = true;
    lock.unlock();
    remove_scratch(corpse.dir);
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace kiln::store
