import Bundle
import Cache
import Host
import Mirrors
import Settings
import Synchronization
import SystemPackage
import Testing

@testable import DownloadAll

/// What is installed on this machine: what is missing and nothing else, and never for a plan.
@Suite(.timeLimit(.minutes(10))) struct PkgsStageTests {
  /// A machine that has some programs, on which installing a package brings the program of that name.
  final class Machine: Sendable {
    let programs: Mutex<Set<String>>
    let commands = Mutex<[String]>([])
    init(_ programs: Set<String>) { self.programs = Mutex(programs) }

    func program(_ name: String, _ debian: String, _ redHat: String) -> HostProgram {
      HostProgram(name, debian: debian, redHat: redHat, "test") { [self] in
        programs.withLock { $0.contains(name) }
      }
    }
  }

  let fixture: RunFixture

  init() throws { fixture = try RunFixture() }

  private func stage(
    _ machine: Machine, _ family: OSRelease.Family = .debian, status: Int32 = 0,
    brings: Set<String> = ["xz", "dnf"], isPlanning: Bool = false
  ) -> TestStage {
    TestStage(.pkgs) { job, tools in
      let stage = PkgsStage(
        needed: {
          [machine.program("xz", "xz-utils", "xz"), machine.program("dnf", "dnf python3", "dnf")]
        }, mayInstall: job.configuration.packages.install, isPlanning: isPlanning,
        events: tools.events(.pkgs), family: { family },
        perform: { command, _ in
          // Without what makes it root's.
          let words = "\(command)".replacing("sudo -n ", with: "")
            .replacing("env DEBIAN_FRONTEND=noninteractive ", with: "")
          machine.commands.withLock { $0.append(words) }
          if status == 0 { machine.programs.withLock { $0.formUnion(brings) } }
          return CommandResult(status: status, standardError: "E: Unable to locate package xz-utils\n")
        })
      return [StageTable.Row(name: .pkgs, needs: [], stage: stage)]
    }
  }

  @Test func nothingMissingIsNothingToDo() async throws {
    let machine = Machine(["xz", "dnf"])
    let report = try await fixture.run([stage(machine)])
    #expect(report.failures.isEmpty && machine.commands.withLock { $0.isEmpty })
  }

  @Test(arguments: [
    (
      OSRelease.Family.debian,
      [
        "apt-get -o DPkg::Lock::Timeout=300 -q update",
        "apt-get -o DPkg::Lock::Timeout=300 -q -y --no-install-recommends install xz-utils",
      ]
    ),
    (.redHat, ["dnf -y -q --setopt=install_weak_deps=False install xz"]),
  ])
  func onlyWhatIsMissingIsInstalled(_ family: OSRelease.Family, _ commands: [String]) async throws {
    let machine = Machine(["dnf"])
    let report = try await fixture.run([stage(machine, family)])
    #expect(report.failures.isEmpty)
    #expect(machine.commands.withLock { $0 } == commands)
  }

  @Test func aPlanSaysWhatWouldBeInstalled() async throws {
    let machine = Machine([])
    _ = try await fixture.plan([stage(machine, isPlanning: true)])
    #expect(machine.commands.withLock { $0.isEmpty })
    #expect(
      fixture.messages.contains { $0.hasPrefix("would install: xz-utils dnf python3, for xz (to test)") })
  }

  @Test func withoutPermissionTheCommandIsNamed() async throws {
    let machine = Machine([])
    let report = try await fixture.run([stage(machine), TestStage(.py, needs: [.pkgs])]) {
      $0.packages.install = false
    }
    #expect(report.stages.map(\.outcome) == [.failed, .blocked])
    #expect(report.failures.first?.contains("install xz-utils dnf python3") == true)
    #expect(machine.commands.withLock { $0.isEmpty })
  }

  @Test func aFailureTellsTheReasonAndTheCommand() async throws {
    let report = try await fixture.run([stage(Machine([]), status: 100)])
    let failure = try #require(report.failures.first)
    #expect(failure.contains("Unable to locate package xz-utils") && failure.contains("apt-get"))
  }

  @Test func aProgramThatIsStillMissingIsNamed() async throws {
    let report = try await fixture.run([stage(Machine([]), brings: ["dnf"])])
    #expect(report.failures.first?.contains("xz: still missing after") == true)
  }

  @Test func aSystemWithNeitherAptNorDnfIsTold() async throws {
    let report = try await fixture.run([stage(Machine([]), .other)])
    #expect(report.failures.first?.contains("neither apt nor dnf") == true)
  }

  @Test func nothingIsInstalledWhenTheMachineIsUnfit() async throws {
    let machine = Machine([])
    let report = try await fixture.run(
      [stage(machine), TestStage(.repo, needs: [.pkgs])], precheck: true
    ) {
      $0.packages.targets = ["beos-5"]
    }
    #expect(report.stages.map(\.outcome) == [.failed, .blocked, .blocked])
    #expect(
      report.failures.first?.contains("packages cannot be collected for beos-5. Supported are debian-11")
        == true)
    #expect(machine.commands.withLock { $0.isEmpty })
  }

  @Test func whatIsNeededDependsOnStagesAndSettings() throws {
    func names(_ stages: [StageName], _ change: (inout Configuration) -> Void = { _ in }) throws -> Set<
      String
    > {
      let job = fixture.job(stages.map { TestStage($0) }) {
        $0.packages.host = "debian-12"
        change(&$0)
      }
      let tools = try fixture.tools(job)
      let memory = ProgramMemory(folder: tools.cache.folder(of: .programs))
      return Set(try HostProgram.needed(job, tools.kubespray, memory).map(\.name))
    }
    #expect(try names([.scripts]).isEmpty)
    #expect(try names([.files]) == ["ca-certificates"])
    #expect(try names([.py]) == ["bash", "python3", "ca-certificates"])
    #expect(try names([.kubespray]) { $0.kubespray.source = "git+https://example.com/k.git" }.contains("git"))
    #expect(try names([.repo]) == ["ca-certificates", "apt-get", "xz", "gpg"])
    #expect(try names([.repo]) { $0.packages.skip = true } == ["ca-certificates"])
    #expect(
      try names([.repo]) {
        $0.packages.targets = ["rocky-9"]
      } == ["ca-certificates", "dnf", "createrepo_c", "gpg"])
    #expect(try names([.pypi]) { $0.python.executable = "/opt/python" } == ["ca-certificates"])
  }
}

/// Which releases packages are carried for.
@Suite struct PackageTargetsTests {
  private let bookworm = OSRelease.parse("ID=debian\nVERSION_ID=\"12\"\n")
  private let arch = OSRelease.parse("ID=arch\n")

  private func folders(_ targets: [String], host: String? = nil, on system: OSRelease) throws -> [String] {
    var packages = Configuration().packages
    packages.targets = targets
    packages.host = host
    return try PackageTargets(packages, system: system).choices.map(\.folder)
  }

  @Test func theHostsReleaseIsLocalHoweverItIsNamed() throws {
    #expect(try folders(["host"], on: bookworm) == ["debs/local"])
    #expect(try folders(["debian-12"], on: bookworm) == ["debs/local"])
    #expect(try folders(["debian-12", "host"], on: bookworm) == ["debs/local"])
    #expect(
      try folders(["debian-13", "host", "rocky-9"], on: bookworm) == [
        "debs/debian-13", "debs/local", "rpms/rocky-9",
      ])
  }

  @Test func anUnsupportedHostMayCollectForOthers() throws {
    #expect(try folders(["rocky-9"], on: arch) == ["rpms/rocky-9"])
    let error = #expect(throws: UnsupportedTarget.self) { try folders(["host"], on: arch) }
    #expect(error?.name.hasPrefix("arch") == true)
  }

  @Test func aDerivativeMayNameItsRelease() throws {
    #expect(try folders(["host"], host: "ubuntu-24.04", on: arch) == ["debs/local"])
  }
}
