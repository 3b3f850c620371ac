#include "cli/args.h"

#include <CLI/CLI.hpp>

#include <algorithm>

#include "base/text.h"
#include "cli/help.h"

namespace kiln::cli {

namespace {

/// -var becomes --var; "-", "--x", "-5" and what stands behind "--" stay. -machine-readable is taken out anywhere.
std::vector<std::string> rewrite(const std::vector<std::string>& argv, bool& machine_readable) {
  std::vector<std::string> out;
  bool literal = false;
  for (const std::string& arg : argv) {
    if (arg == "--") literal = true;
    if (!literal && (arg == "-machine-readable" || arg == "--machine-readable")) {
      machine_readable = true;
      continue;
    }
    const bool go_flag =
        !literal && arg.size() > 1 && arg[0] == '-' && std::isalpha(static_cast<unsigned char>(arg[1])) != 0;
    out.push_back(go_flag ? "-" + arg : arg);
  }
  return out;
}

/// What CLI11 fills before it is checked and split.
struct Raw {
  std::vector<std::string> vars, var_files, only, except, no_cache_filter, keep;
};

void add_template(CLI::App& app, Args& args) {
  app.add_option("template", args.template_path)->required();
}

void add_variables(CLI::App& app, Args& args, Raw& raw) {
  app.add_option("--var", raw.vars)->allow_extra_args(false);
  app.add_option("--var-file", raw.var_files)->allow_extra_args(false);
  app.add_option("--only", raw.only)->allow_extra_args(false);
  app.add_option("--except", raw.except)->allow_extra_args(false);
  app.add_flag("--warn-on-undeclared-var", args.warn_on_undeclared_var);
  app.add_flag("--no-warn-undeclared-var", args.no_warn_undeclared_var);
}

/// Flags about Packer's ways of loading, which kiln has one of: known, without effect.
void add_loading(CLI::App& app, Args& args) {
  for (const char* name : {"--use-sequential-evaluation", "--ignore-prerelease-plugins", "--skip-enforcement"})
    app.add_flag(name, args.ignored);
}

/// Nothing is ever downloaded, so there is nothing to renew either.
void add_init(CLI::App& app, Args& args) {
  for (const char* name : {"--upgrade", "--force"}) app.add_flag(name, args.ignored);
}

void add_cache(CLI::App& app, Args& args, Raw& raw) {
  app.add_flag("--no-cache", args.no_cache);
  app.add_option("--no-cache-filter", raw.no_cache_filter)->allow_extra_args(false);
  app.add_flag("--fresh-disks", args.fresh_disks);
  app.add_flag("--refresh", args.refresh);
  app.add_option("--network", args.network)->check(CLI::IsMember({"host", "none"}));
  app.add_flag("--strict", args.strict);
  app.add_flag("--allow-privileged", args.allow_privileged);
  app.add_option("--keep", raw.keep)->allow_extra_args(false);
  app.add_option("--output", args.output);
  app.add_flag("--local", args.local);
}

void add_build(CLI::App& app, Args& args, Raw& raw) {
  add_template(app, args);
  add_variables(app, args, raw);
  add_cache(app, args, raw);
  app.add_option("--parallel-builds", args.parallel_builds);
  app.add_option("--on-error", args.on_error)
      ->check(CLI::IsMember({"cleanup", "abort", "ask", "run-cleanup-provisioner"}));
  app.add_flag("--color", args.color);
  app.add_flag("--timestamp-ui", args.timestamp_ui);
  app.add_flag("--force", args.force);
  app.add_flag("--debug", args.debug);
  app.add_flag("--check", args.check);
  app.add_flag("--lock", args.lock);
  add_loading(app, args);
}

void add_store(CLI::App& app, Args& args) {
  app.add_option("action", args.action)->required()->check(CLI::IsMember({"ls", "gc", "verify"}));
  app.add_option("--keep-bytes", args.keep_bytes)->transform(CLI::AsSizeValue(false));
  app.add_option("--older-than", args.older_than);
  app.add_flag("--dry-run", args.dry_run);
  app.add_flag("--json", args.json);
}

void add_fmt(CLI::App& app, Args& args) {
  app.add_option("path", args.rest);
  app.add_flag("--check", args.check);
  app.add_flag("--diff", args.diff);
  app.add_flag("--write", args.write);
  app.add_flag("--recursive", args.recursive);
}

Result<> split_variables(Args& args, const Raw& raw) {
  for (const std::string& pair : raw.vars) {
    const std::size_t at = pair.find('=');
    if (at == std::string::npos) {
      return error(Errc::usage, "-var {}: a variable is given as -var 'name=value'", pair);
    }
    args.vars.emplace_back(pair.substr(0, at), pair.substr(at + 1));
  }
  for (const std::string& file : raw.var_files) args.var_files.emplace_back(file);
  const auto split_all = [](const std::vector<std::string>& given, std::vector<std::string>& into) {
    for (const std::string& list : given) {
      for (std::string& item : split(list, ',')) into.push_back(std::move(item));
    }
  };
  split_all(raw.only, args.only);
  split_all(raw.except, args.except);
  split_all(raw.no_cache_filter, args.no_cache_filter);
  args.keep = raw.keep;
  return {};
}

std::vector<std::string> names_of(const std::vector<const CLI::App*>& commands) {
  std::vector<std::string> names;
  names.reserve(commands.size());
  for (const CLI::App* command : commands) names.push_back(command->get_name());
  return names;
}

/// Every flag of a command, as a person writes it: "-var".
std::vector<std::string> flags_of(const CLI::App& command) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("-" + name);
  }
  return flags;
}

/// "-frob" of "--frob=x".
std::string flag_in(const std::string& arg) {
  return "-" + arg.substr(2, arg.find('=') - 2);
}

/// What to say about a flag that a command does not have, or about a word too many.
std::string unexpected(const CLI::App& command, const CLI::ParseError& e, const std::vector<std::string>& argv) {
  const std::vector<std::string> known = flags_of(command);
  for (const std::string& arg : argv) {
    if (arg == "--") break;
    if (!arg.starts_with("--") || std::find(known.begin(), known.end(), flag_in(arg)) != known.end()) continue;
    const auto guess = nearest(flag_in(arg), known);
    return fmt::format("kiln {} has no flag {}.", command.get_name(), flag_in(arg)) +
           (guess ? fmt::format(" Did you mean {}?", *guess) : std::string());
  }
  return e.what();
}

void add_commands(CLI::App& app, Args& args, Raw& raw) {
  add_build(*app.add_subcommand("build"), args, raw);
  CLI::App& validate = *app.add_subcommand("validate");
  add_template(validate, args);
  add_variables(validate, args, raw);
  validate.add_flag("--syntax-only", args.syntax_only);
  validate.add_flag("--evaluate-datasources", args.evaluate_datasources);
  add_loading(validate, args);
  CLI::App& inspect = *app.add_subcommand("inspect");
  add_template(inspect, args);
  add_variables(inspect, args, raw);
  add_loading(inspect, args);
  inspect.add_flag("--json", args.json);
  CLI::App& init = *app.add_subcommand("init");
  add_template(init, args);
  add_variables(init, args, raw);
  add_init(init, args);
  CLI::App& console = *app.add_subcommand("console");
  console.add_option("template", args.template_path);
  add_variables(console, args, raw);
  add_loading(console, args);
  console.add_option("--config-type", args.config_type)->check(CLI::IsMember({"hcl2"}));
  add_fmt(*app.add_subcommand("fmt"), args);
  CLI::App& fix = *app.add_subcommand("fix");
  add_template(fix, args);
  fix.add_flag("--validate", args.validate);
  CLI::App& upgrade = *app.add_subcommand("hcl2_upgrade");
  add_template(upgrade, args);
  upgrade.add_option("--output-file", args.output_file);
  upgrade.add_flag("--with-annotations", args.annotations);
  CLI::App& plan = *app.add_subcommand("plan");
  add_template(plan, args);
  add_variables(plan, args, raw);
  add_cache(plan, args, raw);
  plan.add_flag("--json", args.json);
  plan.add_flag("--color", args.color);
  CLI::App& run = *app.add_subcommand("run");
  add_template(run, args);
  add_variables(run, args, raw);
  add_cache(run, args, raw);
  run.add_option("--step", args.step);
  run.add_option("command", args.rest);
  add_store(*app.add_subcommand("store"), args);
  app.add_subcommand("version");
  for (CLI::App* sub : app.get_subcommands({})) sub->set_help_flag();
}

}  // namespace

Result<Args> parse_args(std::vector<std::string> argv) {
  Args args;
  argv = rewrite(argv, args.machine_readable);
  if (!argv.empty() && (argv[0] == "--version" || argv[0] == "--v")) argv[0] = "version";
  const auto literal = std::find(argv.begin(), argv.end(), "--");
  const auto asks = [](const std::string& a) { return a == "--help" || a == "--h"; };
  args.help = std::any_of(argv.begin(), literal, asks);
  const std::string command = argv.empty() ? std::string() : argv[0];
  if (args.help || argv.empty()) {
    args.help_text = help_for(asks(command) ? std::string() : command);
    args.command = asks(command) ? "help" : command;
    return args;
  }
  CLI::App app;
  app.set_help_flag();
  app.require_subcommand(1);
  Raw raw;
  add_commands(app, args, raw);
  const std::vector<const CLI::App*> commands = std::as_const(app).get_subcommands({});
  const auto known =
      std::find_if(commands.begin(), commands.end(), [&](const CLI::App* c) { return c->get_name() == command; });
  if (known == commands.end()) {
    args.help_text = fmt::format("kiln has no command \"{}\".", visible(command));
    if (const auto guess = nearest(command, names_of(commands)))
      args.help_text += fmt::format(" Did you mean \"{}\"?", *guess);
    args.help_text += "\n\n" + help_for({});
    return args;
  }
  const auto help_is_there = [&](std::string_view what) {
    if (what.starts_with("--")) what.remove_prefix(1);  // flags as people write them
    return error(Errc::usage, "{}\nkiln {} -help tells what can be said.", what, command);
  };
  try {
    app.parse(std::vector<std::string>(argv.rbegin(), argv.rend()));  // CLI11 takes them from the back
  } catch (const CLI::ExtrasError& e) {
    return help_is_there(unexpected(**known, e, argv));
  } catch (const CLI::ParseError& e) {
    return help_is_there(e.what());
  }
  args.command = command;
  TRY(split_variables(args, raw));
  return args;
}

}  // namespace kiln::cli
