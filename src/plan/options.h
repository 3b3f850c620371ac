// Reading a component's options with types; what nobody read is reported at the end, with a suggestion.
#pragma once

#include <set>

#include "template/template.h"

namespace kiln::plan {

class Options {
 public:
  /// what: "provisioner \"shell\"", for messages.
  Options(const tmpl::Body& body, std::string what, tmpl::Diagnostics& diagnostics)
      : body_(body), what_(std::move(what)), diagnostics_(diagnostics) {}

  bool has(const std::string& name) const;
  /// Readers yield nothing when the option is missing, null or (after a diagnostic) of a wrong type. A value that is
  /// not known yet reads as nothing and is remembered in has_unknown().
  std::optional<std::string> text(const std::string& name);
  bool truth(const std::string& name, bool otherwise = false);
  std::optional<std::int64_t> integer(const std::string& name);
  std::vector<std::string> texts(const std::string& name);
  std::map<std::string, std::string> text_map(const std::string& name);
  std::optional<Duration> duration(const std::string& name);
  /// The option's value as JSON, whatever its type.
  std::optional<Json> json(const std::string& name);

  bool sensitive(const std::string& name) const;
  bool has_unknown() const { return unknown_; }
  /// Known names that kiln does not need; those written are returned by unneeded().
  void accept_unneeded(const std::set<std::string>& names);
  const std::vector<std::string>& unneeded() const { return unneeded_; }
  /// Marks a name as known.
  void accept(const std::string& name) { known_.insert(name); }

  /// Adds an error at the option's value (or the body, when it is not there).
  void problem(const std::string& name, std::string summary, std::string detail);
  /// Reports every option and block that is not known.
  void finish();

 private:
  const tmpl::Value* find(const std::string& name, tmpl::Type wanted);
  const tmpl::Body& body_;
  std::string what_;
  tmpl::Diagnostics& diagnostics_;
  std::set<std::string> known_;
  std::vector<std::string> unneeded_;
  bool unknown_ = false;
  std::map<std::string, tmpl::Value> converted_;
};

/// A value as JSON, marks dropped; unknown becomes null.
Json to_json(const tmpl::Value& value);

}  // namespace kiln::plan
