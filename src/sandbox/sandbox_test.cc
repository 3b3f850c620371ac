// Real steps over a small tree: what they see, what holds them, how they end.
#include "sandbox/sandbox.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <atomic>
#include <thread>

#include "base/text.h"
#include "base/time.h"
#include "sandbox/test_tree.h"

namespace kiln::sandbox {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class StepTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = no_steps_because(); !why.empty()) GTEST_SKIP() << why;
    fill_busybox(base);
  }
  std::vector<std::string> output(const std::string& script) {
    TestStep step({base.path()}, script);
    const RunResult result = must(step.run());
    EXPECT_EQ(result.exit_code, 0) << join(step.err, "\n");
    return step.out;
  }
  Tree base;
};

TEST_F(StepTest, ReportsExitCodeAndBothStreams) {
  TestStep step({base.path()}, "echo one; echo two >&2; exit 3");
  EXPECT_EQ(must(step.run()).exit_code, 3);
  EXPECT_THAT(step.out, ElementsAre("one"));
  EXPECT_THAT(step.err, ElementsAre("two"));
}

TEST_F(StepTest, EnvironmentIsWhatWasGivenAndHome) {
  TestStep step({base.path()});
  step.spec.action = Exec{.argv = {"env"}};
  must(step.run());
  EXPECT_THAT(step.out,
              testing::UnorderedElementsAre("HOME=/root", "PATH=/usr/sbin:/bin:/sbin", "SOURCE_DATE_EPOCH=1600000000"));
}

TEST_F(StepTest, SeesItsOwnRootOnly) {
  EXPECT_THAT(output("ls /"), ElementsAre("bin", "dev", "etc", "proc", "root", "run", "sys", "tmp", "usr"));
  EXPECT_THAT(output("ls /sys; ls /dev"), ElementsAre("fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr",
                                                      "stdin", "stdout", "tty", "urandom", "zero"));
}

TEST_F(StepTest, IsAloneInItsNamespaces) {
  EXPECT_THAT(output("set -- /proc/[0-9]*; echo $#; hostname"),
              ElementsAre("2", "kiln"));  // init, and the shell itself
}

TEST_F(StepTest, HoldsNoDescriptorOfTheHost) {
  EXPECT_THAT(
      output("readlink /proc/self/fd/0; for n in 3 4 5 6 7 8 9; do test -e /proc/$$/fd/$n && echo $n; done; true"),
      ElementsAre("/dev/null"));
}

TEST_F(StepTest, ProcIsMasked) {
  EXPECT_THAT(output("cat /proc/kcore /proc/keys /proc/timer_list | cat; echo done"), ElementsAre("done"));
  EXPECT_THAT(output("(echo x > /proc/sys/kernel/hostname) 2>/dev/null || echo refused"), ElementsAre("refused"));
  EXPECT_THAT(output("(echo h > /proc/sysrq-trigger) 2>/dev/null || echo refused"), ElementsAre("refused"));
}

TEST_F(StepTest, IsHeldByFilterAndBoundingSet) {
  // CHOWN DAC_OVERRIDE FOWNER FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE SYS_CHROOT AUDIT_WRITE SETFCAP
  EXPECT_THAT(output("grep -E '^(Cap(Inh|Prm|Eff|Bnd|Amb)|Seccomp|NoNewPrivs):' /proc/self/status"),
              ElementsAre("CapInh:\t0000000000000000", "CapPrm:\t00000000a00405fb", "CapEff:\t00000000a00405fb",
                          "CapBnd:\t00000000a00405fb", "CapAmb:\t0000000000000000", "NoNewPrivs:\t0", "Seccomp:\t2"));
}

TEST_F(StepTest, StrictForbidsNewPrivileges) {
  TestStep step({base.path()}, "grep NoNewPrivs /proc/self/status");
  step.spec.strict = true;
  must(step.run());
  EXPECT_THAT(step.out, ElementsAre("NoNewPrivs:\t1"));
}

TEST_F(StepTest, CannotMount) {
  TestStep step({base.path()}, "mount -t tmpfs none /tmp");
  EXPECT_NE(must(step.run()).exit_code, 0);
  EXPECT_THAT(step.err, Contains(HasSubstr("ermi")));
}

TEST_F(StepTest, OfAUserHasItsIdsGroupsAndHome) {
  TestStep step({base.path()}, "id; echo $HOME");
  std::get<Exec>(step.spec.action).user = "bob";
  must(step.run());
  EXPECT_THAT(step.out, ElementsAre("uid=185(bob) gid=100(users) groups=100(users),101(extra)", "/home/bob"));
}

TEST_F(StepTest, ProgramThatIsMissingIsNamed) {
  TestStep step({base.path()});
  step.spec.action = Exec{.argv = {"no-such-program"}};
  const auto result = step.run();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Errc::not_found);
  EXPECT_THAT(result.error().text(), HasSubstr("no-such-program"));
}

TEST_F(StepTest, DirectoryThatIsMissingIsNamed) {
  TestStep step({base.path()}, "true");
  std::get<Exec>(step.spec.action).cwd = "/nowhere";
  const auto result = step.run();
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().text(), HasSubstr("/nowhere"));
}

TEST_F(StepTest, SignalOfTheMainProcessIsItsExitCode) {
  TestStep step({base.path()}, "kill -9 $$");
  EXPECT_EQ(must(step.run()).exit_code, 137);
}

TEST_F(StepTest, RebootEndsItAsADisconnect) {
  for (const char* command : {"/usr/sbin/reboot", "shutdown -r now", "/usr/sbin/poweroff", "/usr/sbin/halt"}) {
    TestStep step({base.path()}, std::string("echo before; ") + command + "; echo after");
    EXPECT_TRUE(must(step.run()).disconnected) << command;
    EXPECT_THAT(step.out, ElementsAre("before")) << command;
  }
}

TEST_F(StepTest, TimesOut) {
  TestStep step({base.path()}, "sleep 100");
  step.spec.timeout = Duration(100);
  const auto start = Clock::now();
  EXPECT_TRUE(must(step.run()).timed_out);
  EXPECT_LT(ms_since(start), 1500U);
}

TEST_F(StepTest, IsKilledWhenItIgnoresTheTimeout) {
  TestStep step({base.path()}, "trap '' TERM; while true; do sleep 1; done");
  step.spec.timeout = Duration(100);
  step.spec.grace = Duration(200);
  EXPECT_TRUE(must(step.run()).timed_out);
}

TEST_F(StepTest, CancelledIsInterrupted) {
  TestStep step({base.path()}, "sleep 100");
  std::thread later([&] {
    (void)step.cancel.sleep(Duration(100));
    step.cancel.cancel();
  });
  const auto result = step.run();
  later.join();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Errc::interrupted);
}

TEST_F(StepTest, DaemonDiesAtTheEndAndDoesNotHoldIt) {
  const auto start = Clock::now();
  TestStep step({base.path()}, "(sleep 77; echo late > /etc/late) & echo started");
  must(step.run());
  EXPECT_LT(ms_since(start), 3000U);
  EXPECT_THAT(step.out, ElementsAre("started"));
  EXPECT_FALSE(fs::exists(step.upper("etc/late")));
}

TEST_F(StepTest, MuchOutputArrivesWhole) {
  TestStep step({base.path()}, "i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done");
  must(step.run());
  ASSERT_EQ(step.out.size(), 20000U);
  EXPECT_EQ(step.out.back(), "line 19999");
}

TEST_F(StepTest, StubFilesAreThereAndLeaveNothing) {
  TestStep step({base.path()}, "cat /etc/resolv.conf /run/kiln/secret; ls -l /etc/resolv.conf | cut -c1-10");
  base.link("bin/cut", "busybox");
  step.spec.stubs = {{"/etc/resolv.conf", "nameserver 192.0.2.1\n"}, {"/run/kiln/secret", "s\n", 0400}};
  must(step.run());
  EXPECT_THAT(step.out, ElementsAre("nameserver 192.0.2.1", "s", "-rw-r--r--"));
  EXPECT_THAT(must(list_dir(must(open_dir(step.upper(""))).get())), IsEmpty());
}

TEST_F(StepTest, StubsCanBeReplacedByRename) {
  TestStep step({base.path()}, "echo new > /etc/tmp && mv /etc/tmp /etc/resolv.conf && rm /usr/sbin/reboot");
  step.spec.stubs = {{"/etc/resolv.conf", "old\n"}};
  EXPECT_EQ(must(step.run()).exit_code, 0) << join(step.err, "\n");
  EXPECT_EQ(must(read_file(step.upper("etc/resolv.conf"))), "new\n");
}

TEST_F(StepTest, StubOfALinkIntoRunIsWrittenThere) {
  base.link("etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf");
  TestStep step({base.path()}, "cat /etc/resolv.conf; readlink /etc/resolv.conf");
  step.spec.stubs = {{"/etc/resolv.conf", "nameserver 192.0.2.1\n"}};
  must(step.run());
  EXPECT_THAT(step.out, ElementsAre("nameserver 192.0.2.1", "../run/systemd/resolve/stub-resolv.conf"));
}

TEST_F(StepTest, MountPointsThatAreLinksDoNotLeadOutside) {
  Tree evil;
  evil.link("proc", "/etc").link("dev", "../../../../dev").link("run", "/tmp/x").link("sys", "/");
  TestStep step({base.path(), evil.path()}, "ls /dev/null /proc/self/status; ls /etc | grep -c passwd");
  EXPECT_EQ(must(step.run()).exit_code, 0);
  EXPECT_THAT(step.out, ElementsAre("/dev/null", "/proc/self/status", "1"));
}

TEST_F(StepTest, ScriptsAreRemovedAtTheEnd) {
  TestStep step({base.path()});
  step.spec.scripts = {{"/tmp/script.sh", "#!/bin/sh\necho ran $1\n", 0755}};
  step.spec.action = Exec{.argv = {"/tmp/script.sh", "it"}};
  must(step.run());
  EXPECT_THAT(step.out, ElementsAre("ran it"));
  EXPECT_FALSE(fs::exists(step.upper("tmp/script.sh")));
}

TEST_F(StepTest, ScriptThatTheStepReplacedStays) {
  TestStep step({base.path()}, "echo mine > /tmp/x; mv /tmp/x /tmp/script.sh");
  step.spec.scripts = {{"/tmp/script.sh", "true\n", 0755}};
  must(step.run());
  EXPECT_EQ(must(read_file(step.upper("tmp/script.sh"))), "mine\n");
}

/// Ignores or restores a signal that the C library keeps for itself (32 and 33 on Linux).
void set_internal_signal(std::uint64_t handler) {
  const std::uint64_t action[4] = {handler, 0, 0, 0};  // as rt_sigaction reads it on x86-64
  ASSERT_EQ(::syscall(SYS_rt_sigaction, 32, action, nullptr, 8), 0);
}

TEST_F(StepTest, UmaskAndSignalsAreThoseOfAFreshMachine) {
  ::umask(077);
  ::signal(SIGPIPE, SIG_IGN);
  set_internal_signal(1);
  TestStep step({base.path()});
  step.spec.action = Exec{.argv = {"grep", "-E", "Umask|Sig(Ign|Blk)", "/proc/self/status"}};
  must(step.run());
  ::umask(022);
  ::signal(SIGPIPE, SIG_DFL);
  set_internal_signal(0);
  EXPECT_THAT(step.out, ElementsAre("Umask:\t0022", "SigBlk:\t0000000000000000", "SigIgn:\t0000000000000000"));
}

TEST_F(StepTest, BindsAreReadOnlyUnlessAsked) {
  Tree host;
  host.file("a", "x").dir("rw");
  TestStep step({base.path()}, "cat /mnt/in/a; touch /mnt/in/b 2>/dev/null || echo ro; touch /run/kiln/rw/c");
  step.spec.binds = {{host.path(), "/mnt/in"}, {host.path("rw"), "/run/kiln/rw", false}};
  must(step.run());
  EXPECT_THAT(step.out, ElementsAre("xro"));
  EXPECT_TRUE(fs::exists(host.path("rw/c")));
}

TEST_F(StepTest, NetworkNoneHasLoopbackOnly) {
  TestStep step({base.path()}, "cat /proc/net/dev | grep -c :; cat /proc/net/dev | grep -c lo:");
  step.spec.network = Network::none;
  must(step.run());
  EXPECT_THAT(step.out, ElementsAre("1", "1"));
}

TEST_F(StepTest, IgnoredServicesBecomeNotes) {
  TestStep step({base.path()}, "echo 'Running in chroot, ignoring command start'");
  EXPECT_THAT(must(step.run()).notes, ElementsAre("Running in chroot, ignoring command start"));
}

TEST_F(StepTest, TooManyLayersIsAClearError) {
  TestStep step(std::vector<fs::path>(401, base.path()), "true");
  const auto result = step.run();
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code(), Errc::usage);
}

TEST_F(StepTest, RunsOverFourHundredLayers) {
  std::vector<fs::path> layers = {base.path()};
  Tree many;
  for (int i = 1; i < 400; ++i) {
    many.file(fmt::format("{}/layers/{}", i, i), "x");
    layers.push_back(many.path(std::to_string(i)));
  }
  TestStep step(layers, "ls /layers | grep -c .");
  must(step.run());
  EXPECT_THAT(step.out, ElementsAre("399"));
}

TEST_F(StepTest, ScratchOnAnOverlayIsAClearError) {
  Tree place;
  place.dir("upper").dir("work").dir("merged");
  TestStep step({base.path()}, "true");
  step.spec.scratch = place.path("merged");
  const pid_t child = ::fork();  // the mount is in a namespace of its own
  if (child == 0) {
    const std::string options =
        fmt::format("lowerdir={},upperdir={},workdir={}", base.path(), place.path("upper"), place.path("work"));
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("o", place.path("merged").c_str(), "overlay", 0, options.c_str()) != 0) {
      ::_exit(2);
    }
    const auto result = step.run();
    ::_exit(!result && result.error().text().find("KILN_STORE") != std::string::npos ? 0 : 1);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(StepTest, MountsNothingOnTheHost) {
  const std::string before = must(read_file("/proc/self/mountinfo"));
  output("true");
  EXPECT_EQ(must(read_file("/proc/self/mountinfo")), before);
}

/// Whether a process has this text in its arguments.
bool runs(const std::string& marker) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const auto line = read_file(entry.path() / "cmdline");
    if (line && (*line).find(marker) != std::string::npos) return true;
  }
  return false;
}

TEST_F(StepTest, DiesWithKilnWhenThatIsKilled) {
  const std::string marker = "98765.43210";
  base.link("bin/setsid", "busybox");
  TestStep step({base.path()}, "setsid sleep " + marker + " & sleep " + marker);
  const pid_t kiln = ::fork();
  if (kiln == 0) {
    (void)step.run();
    ::_exit(0);
  }
  while (!runs(marker)) std::this_thread::sleep_for(Duration(20));
  ::kill(kiln, SIGKILL);
  ::waitpid(kiln, nullptr, 0);
  const auto start = Clock::now();
  while (runs(marker) && ms_since(start) < 3000) std::this_thread::sleep_for(Duration(10));
  EXPECT_LT(ms_since(start), 1000U);
  EXPECT_THAT(must(read_file("/proc/self/mountinfo")), Not(HasSubstr("kiln-sandbox-test")));
}

TEST_F(StepTest, UploadsAFileUnderItsNameOrAnother) {
  Tree host;
  host.file("a.txt", "hello", 0755);
  TestStep step({base.path()});
  step.spec.action = std::vector<Upload>{{host.path("a.txt"), "/etc"}, {host.path("a.txt"), "/etc/b.txt"}};
  EXPECT_EQ(must(step.run()).exit_code, 0);
  EXPECT_EQ(must(read_file(step.upper("etc/a.txt"))), "hello");
  EXPECT_EQ(must(read_file(step.upper("etc/b.txt"))), "hello");
  struct stat st {};
  ASSERT_EQ(::stat(step.upper("etc/b.txt").c_str(), &st), 0);
  EXPECT_EQ(st.st_mode & 07777, 0755U);
  EXPECT_EQ(st.st_mtim.tv_sec, 1600000000);
}

TEST_F(StepTest, UploadsDirectoriesWithOrWithoutTheirName) {
  Tree host;
  host.file("d/x/y", "1").link("d/l", "x/y");
  TestStep step({base.path()});
  step.spec.action = std::vector<Upload>{{host.path("d"), "/tmp"}, {host.path("d/"), "/tmp/new", true}};
  EXPECT_EQ(must(step.run()).exit_code, 0);
  EXPECT_EQ(must(read_file(step.upper("tmp/d/x/y"))), "1");
  EXPECT_EQ(must(read_file(step.upper("tmp/new/x/y"))), "1");
  EXPECT_EQ(fs::read_symlink(step.upper("tmp/new/l")), "x/y");
}

TEST_F(StepTest, UploadToADirectoryThatIsMissingIsNamed) {
  Tree host;
  host.file("a", "1");
  TestStep step({base.path()});
  step.spec.action = std::vector<Upload>{{host.path("a"), "/no/where"}};
  const auto result = step.run();
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().text(), HasSubstr("/no/where"));
}

TEST_F(StepTest, UploadsOntoNothing) {
  Tree host;
  host.file("d/etc/a", "1");
  TestStep step({});
  step.spec.action = std::vector<Upload>{{host.path("d/"), "/", true}};
  EXPECT_EQ(must(step.run()).exit_code, 0);
  EXPECT_EQ(must(read_file(step.upper("etc/a"))), "1");
}

TEST_F(StepTest, StepsRunSideBySide) {
  std::vector<std::thread> threads;
  threads.reserve(4);
  std::atomic<int> good = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      TestStep step({base.path()}, fmt::format("echo {}", i));
      good += step.run().ok() && step.out == std::vector<std::string>{std::to_string(i)} ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 4);
}

TEST_F(StepTest, UploadStaysInsideTheImage) {
  Tree host, evil;
  host.file("a", "1");
  evil.link("out", "../../../../../../../../etc");
  TestStep step({base.path(), evil.path()});
  step.spec.action = std::vector<Upload>{{host.path("a"), "/out/kiln-test"}};
  EXPECT_EQ(must(step.run()).exit_code, 0);
  EXPECT_TRUE(fs::exists(step.upper("etc/kiln-test")));
}

TEST_F(StepTest, DownloadsFilesAndDirectories) {
  Tree to;
  base.file("opt/d/a", "1").file("opt/f", "2");
  TestStep step({base.path()});
  step.spec.action = std::vector<Download>{{"/opt/d", to.path()}, {"/opt/f", to.path()}};
  EXPECT_EQ(must(step.run()).exit_code, 0);
  EXPECT_EQ(must(read_file(to.path("d/a"))), "1");
  EXPECT_EQ(must(read_file(to.path("f"))), "2");
}

TEST_F(StepTest, CachesKeepNewFilesAndNoDeletions) {
  Tree shared;
  shared.file("old.deb", "1");
  TestStep step({base.path()},
                "cd /var/cache/apt; ls; rm old.deb; mkdir sub partial; echo 2 > new.deb; "
                "echo 3 > sub/x; echo 4 > partial/y; echo 5 > z.partial; echo 6 > lock");
  step.spec.caches = {{shared.path(), "/var/cache/apt"}};
  EXPECT_EQ(must(step.run()).exit_code, 0) << join(step.err, "\n");
  must(keep_caches(step.spec));
  EXPECT_THAT(step.out, ElementsAre("old.deb"));
  EXPECT_THAT(must(list_dir(must(open_dir(shared.path())).get())), ElementsAre("new.deb", "old.deb", "sub"));
  EXPECT_EQ(must(read_file(shared.path("sub/x"))), "3\n");
  EXPECT_FALSE(fs::exists(step.upper("var/cache/apt")));
}

TEST_F(StepTest, RunAndCollectGiveTheChangeAlone) {
  TestStep step({base.path()}, "echo x > /etc/new; chmod 644 /etc/passwd; rm /etc/group; echo t > /tmp/t; touch /bin");
  step.spec.stubs = {{"/etc/hosts", "127.0.0.1 kiln\n"}};
  must(step.run());
  const auto report = must(collect({.upper = step.upper(""),
                                    .lowers = step.spec.lowers,
                                    .stubs = step.spec.stubs,
                                    .clock = 1600000000,
                                    .tree = step.scratch.path("tree"),
                                    .volatile_tree = step.scratch.path("volatile")}));
  EXPECT_FALSE(report.empty);
  EXPECT_THAT(must(list_dir(must(open_dir(step.scratch.path("tree"))).get())), ElementsAre("etc"));
  EXPECT_THAT(must(list_dir(must(open_dir(step.scratch.path("tree/etc"))).get())), ElementsAre("group", "new"));
  EXPECT_TRUE(fs::exists(step.scratch.path("volatile/tmp/t")));
}

}  // namespace
}  // namespace kiln::sandbox
