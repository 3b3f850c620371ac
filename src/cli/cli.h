// The commands of kiln. main() reads the environment once and hands it down; nothing below reads it again.
#pragma once

#include <map>

#include "base/cancel.h"
#include "base/units.h"
#include "cli/args.h"

namespace kiln::cli {

/// What the process was started with.
struct Environment {
  std::map<std::string, std::string> variables;
  fs::path cwd;
  bool stdout_is_terminal = false;
  std::string get(const std::string& name) const;
};

inline constexpr int kOk = 0, kFailed = 1, kWouldChange = 3, kNoCommand = 127;  // Packer's exit codes
inline constexpr std::uint64_t kMaxStdinBytes = 16 * kMiB;  // what is read of a text from a pipe, as of a file

/// Runs the command line; everything a person reads goes to stdout, as Packer does.
int run_command_line(const std::vector<std::string>& argv, const Environment& environment, const Cancel& cancel);

// One a command.
Result<int> build(const Args& args, const Environment& environment, const Cancel& cancel);
Result<int> validate(const Args& args, const Environment& environment, const Cancel& cancel);
Result<int> format(const Args& args);
Result<int> fix(const Args& args, const Environment& environment);
Result<int> hcl2_upgrade(const Args& args);
Result<int> console(const Args& args, const Environment& environment);
Result<int> inspect(const Args& args, const Environment& environment);
Result<int> init(const Args& args, const Environment& environment);
Result<int> show_plan(const Args& args, const Environment& environment, const Cancel& cancel);
Result<int> run_inside(const Args& args, const Environment& environment, const Cancel& cancel);
Result<int> store_command(const Args& args, const Environment& environment, const Cancel& cancel);

}  // namespace kiln::cli
