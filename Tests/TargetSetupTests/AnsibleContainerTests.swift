import Bundle
import Files
import Foundation
import Host
import Settings
import Synchronization
import SystemPackage
import TestSupport
import Testing

@testable import TargetSetup

/// What a host with containerd answers.
private final class Runtime: Sendable {
  let images = Mutex<Set<String>>([])
  let runs = Mutex(true)

  func answer(_ command: Command) -> CommandResult {
    let words = command.arguments
    if words.contains("version") {
      return CommandResult(status: 0, standardOutput: "Client:\n  Version:  v2\nServer:\n  Version:  v2\n")
    } else if words.contains("import") {
      images.withLock { _ = $0.insert("localhost/kubespray-offline/ansible:2.30.0") }
    } else if words.contains("remove") {
      images.withLock { _ = $0.remove(words.last ?? "") }
    } else if words.contains("list") {
      let name = String(words.last?.dropFirst("name==".count) ?? "")
      let digest = "sha256:" + String(repeating: "a", count: 64)
      let isThere = images.withLock { $0.contains(name) }
      return CommandResult(status: 0, standardOutput: isThere ? "\(name) type \(digest) 1 MiB - -\n" : "")
    } else if words.contains("ansible") {
      let works = runs.withLock { $0 }
      return works
        ? CommandResult(status: 0, standardOutput: "ansible [core 2.17.14]\n  config file = x\n")
        : CommandResult(status: 125, standardError: "error: no\n")
    }
    return CommandResult(status: 0)
  }
}

@Suite("Step ansible, in a container")
struct AnsibleContainerTests {
  private let scripts = FilePath(#filePath).removingLastComponent().removingLastComponent()
    .removingLastComponent().appending("target-scripts")

  private func withHost(_ body: (SetupContext, Runtime) async throws -> Void) async throws {
    try await withFolder { folder in
      let (root, bundle) = (folder.appending("root"), folder.appending("bundle"))
      try put("", at: bundle.appending("files/kubespray-2.30.0.tar.gz"))
      try put("", at: root.appending("usr/local/bin/ctr"))
      try put("ansible==10.7.0\n", at: root.appending("opt/kubespray-2.30.0/requirements.txt"))
      let name = AnsibleContainerStep.scriptName
      try put(try #require(text(scripts.appending(name))), at: bundle.appending(name))
      let archive = "images/localhost_kubespray-offline_ansible-2.30.0.tar.gz"
      try put("archive", at: bundle.appending(archive))
      let runtime = Runtime()
      var context = context(root: root, bundle: bundle) { command, _ in runtime.answer(command) }
      context.configuration.python.ansibleInContainer = true
      context.configuration.python.ansibleImage = "localhost/kubespray-offline/ansible:2.30.0"
      try await body(context, runtime)
    }
  }

  @Test(
    "the image is brought, the script knows image and tree, a second run has nothing to do, undo leaves nothing"
  )
  func journey() async throws {
    try await withHost { context, runtime in
      let before = try content(of: context.host.root)
      let run = SetupRun(context)
      let report = try #require(try await run.execute([.ansible]).first)
      #expect(report.outcome == .done, "\(report.detail)")
      #expect(
        report.detail.hasPrefix("ansible [core 2.17.14] in containers of localhost/kubespray-offline/ansible")
      )
      let script = context.host.path("/opt/kubespray-2.30.0/ansible-container.sh")
      #expect((try? FileInfo(script))?.mode == 0o755)
      let lines = text(script)?.split(separator: "\n") ?? []
      #expect(lines.contains("image=localhost/kubespray-offline/ansible:2.30.0"))
      #expect(lines.contains("tree=/opt/kubespray-2.30.0"))
      #expect(try await run.execute([.ansible]).map(\.outcome) == [.already])
      try put("changed\n", at: script)
      #expect(try await run.status([.ansible]).map(\.state) == ["to do"])
      #expect(try await run.execute([.ansible], isForced: true).map(\.outcome) == [.done])
      #expect(try await run.undo([.ansible]).map(\.outcome) == [.done])
      #expect(runtime.images.withLock { $0.isEmpty })
      let after = try content(of: context.host.root).filter {
        !$0.key.hasPrefix("run") && !$0.key.hasPrefix("var")
      }
      #expect(after == before)
    }
  }

  @Test("an image that was there before stays when the step is undone")
  func othersImage() async throws {
    try await withHost { context, runtime in
      runtime.images.withLock { _ = $0.insert("localhost/kubespray-offline/ansible:2.30.0") }
      let done = try await SetupRun(context).execute([.ansible])
      let undone = try await SetupRun(context).undo([.ansible])
      #expect((done + undone).map(\.outcome) == [.done, .done])
      #expect(runtime.images.withLock { $0.count } == 1)
    }
  }

  @Test("an Ansible that does not run is an error, and so are settings that name no image")
  func failures() async throws {
    try await withHost { context, runtime in
      runtime.runs.withLock { $0 = false }
      let broken = try #require(try await SetupRun(context).execute([.ansible]).first)
      #expect(broken.outcome == .failed && broken.detail.contains("does not run in a container"))
      #expect(try await SetupRun(context).status([.ansible]).map(\.state) == ["to do"])
      var other = context
      other.configuration.python.ansibleImage = nil
      let unnamed = try #require(try await SetupRun(other).execute([.ansible]).first)
      #expect(unnamed.outcome == .failed && unnamed.detail.contains("python.ansible_image"))
    }
  }

  @Test("in this mode no Python is needed, \"all\" has the step, and the next commands are the container's")
  func mode() async throws {
    try await withHost { context, _ in
      let python = try await SetupRun(context).execute([.python])
      #expect(python.map(\.outcome) == [.notNeeded])
      #expect(StepName.all(context.configuration) == StepName.allCases)
      #expect(StepName.all(Configuration()) == StepName.all)
      let lines = NextCommands(
        tree: "/opt/kubespray-2.30.0", environment: "/opt/kubespray-2.30.0-venv",
        home: InventoryHome(folder: "/opt/kubespray-inventory"), isInContainer: true, on: context.host
      ).lines
      let play =
        "./ansible-container.sh --mount /opt/kubespray-inventory ansible-playbook -i /opt/kubespray-inventory/"
      #expect(lines.contains { $0.hasPrefix(play) })
      #expect(!lines.contains { $0.contains("activate") })
    }
  }

  @Test("the script explains itself, refuses what it does not know, and names the step that it needs")
  func usage() async throws {
    try await withFolder { folder in
      let script = folder.appending("ansible-container.sh")
      try put(try #require(text(scripts.appending("ansible-container.sh"))), at: script)
      func run(_ arguments: String...) async throws -> CommandResult {
        try await Command("sh", [script.string] + arguments).run()
      }
      let help = try await run("--help")
      #expect(help.status == 0 && help.standardOutput.contains(" -i inventory/offline/inventory.ini"))
      #expect(try await run().status == 2)
      let unknown = try await run("--nothing", "ansible")
      #expect(unknown.status == 2 && unknown.standardError.contains("--nothing"))
      let unset = try await run("ansible", "--version")
      #expect(unset.status == 125 && unset.standardError.contains("ansible_in_container"))
      try put(
        "kubespray:\n  version: \"2.30.0\"\npython:\n  ansible_in_container: true\n"
          + "  ansible_image: \"localhost/a:1\"\ntarget:\n  kubespray_directory: \(folder)/no\n",
        at: folder.appending("config.yml"))
      let missing = try await run("ansible", "--version")
      #expect(missing.status == 125 && missing.standardError.contains("\(folder)/no/kubespray-2.30.0"))
      #expect(missing.standardError.contains("target-setup extract"))
    }
  }
}
