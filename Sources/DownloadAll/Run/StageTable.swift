import Bundle
import Cache
import Console
import Host
import Kubespray
import Settings

/// The stages: what each needs, and what each is made with. The one place that puts them together.
public enum StageTable {
  /// One part of a stage. A stage that makes something of fetched files has two, one after the other.
  struct Row: Sendable {
    /// The stage, as users know it.
    let name: StageName
    /// What it waits for.
    let needs: [Need]
    /// What does the work.
    let stage: any Stage
    /// What is made, for a part that is not the first of its stage.
    var product: String?
  }

  /// The stages whose findings a stage reads.
  static func needs(of name: StageName, _ configuration: Configuration) -> [StageName] {
    switch name {
    case .precheck, .pkgs: []
    case .kubespray: [.pkgs]
    case .py: [.pkgs, .kubespray]
    case .pypi: configuration.pypi.skip ? [] : [.pkgs, .kubespray]
    case .repo: configuration.packages.skip ? [] : [.pkgs, .py]
    case .files, .scripts, .prove: [.py]
    case .images where configuration.images.skip: []
    case .images:
      (configuration.images.from == nil ? [.py] : [])
        + (AnsibleImage.isAssembled(configuration) ? [.kubespray, .pypi] : [])
    }
  }

  /// The stages named and those that they need, in the order in which they are reported. None named means all.
  public static func selection(_ named: [StageName], _ configuration: Configuration) -> [StageName] {
    var wanted = Set(named.isEmpty ? StageName.allCases : named)
    var waiting = Array(wanted)
    while let name = waiting.popLast() {
      for need in needs(of: name, configuration) where wanted.insert(need).inserted { waiting.append(need) }
    }
    return StageName.allCases.filter(wanted.contains)
  }

  /// The stages of a job; the phases around them, precheck and prove, are not among them.
  ///
  /// - Parameter isPlanning: Whether nothing but the cache may change.
  /// - Throws: ``ConfigurationError`` for settings that no run can follow.
  static func rows(_ job: Job, _ tools: RunTools, isPlanning: Bool) throws -> [Row] {
    do {
      _ = try AnsibleImage(job.configuration, tools.kubespray.version)
    } catch {
      throw ConfigurationError(problems: [Problem(error).description])
    }
    let python = PythonWheels(job: job, kubespray: tools.kubespray, cache: tools.cache)
    let wheels = StageMirrors(tools.resolutions, tools.events(.pypi)) {
      try await python.mirrors(tools.events(.pypi))
    }
    let packages = PackageRepositories(job, tools)
    let repositories = StageMirrors(tools.resolutions, tools.events(.repo)) {
      try await packages.mirrors(tools.events(.repo))
    }
    return job.selection.flatMap { name -> [Row] in
      let events = tools.events(name)
      func row(_ stage: some Stage) -> Row {
        Row(name: name, needs: needs(of: name, job.configuration).map(Need.findings), stage: stage)
      }
      switch name {
      case .precheck, .prove: return []
      case .pkgs: return [row(pkgs(job, tools, isPlanning: isPlanning))]
      case .py: return [row(PyStage(job: job, kubespray: tools.kubespray, events: events))]
      case .kubespray: return [row(KubesprayStage(kubespray: tools.kubespray, remote: tools.remote))]
      case .files:
        return [
          row(
            FilesStage(
              configuration: job.configuration, kubespray: tools.kubespray, charts: tools.charts,
              remote: tools.remote, events: events))
        ]
      case .scripts:
        return [row(ScriptsStage(job: job, kubespray: tools.kubespray, cache: tools.cache, events: events))]
      case .pypi:
        return [
          row(MirrorStage(mirrors: wheels, remote: tools.remote) { await python.preparePip() }),
          index(wheels, job, tools),
        ]
      case .repo:
        return [
          row(
            MirrorStage(mirrors: repositories, remote: tools.remote) {
              await packages.fetchLists(tools.events(.repo))
            }),
          index(repositories, job, tools),
        ]
      case .images: return images(wheels, job, tools)
      }
    }
  }

  static func pkgs(_ job: Job, _ tools: RunTools, isPlanning: Bool) -> PkgsStage {
    let kubespray = tools.kubespray
    let memory = ProgramMemory(folder: tools.cache.folder(of: .programs))
    return PkgsStage(
      needed: { try HostProgram.needed(job, kubespray, memory) },
      mayInstall: job.configuration.packages.install, isOffline: job.configuration.transfer.offline,
      isPlanning: isPlanning, events: tools.events(.pkgs))
  }

  static func index(_ mirrors: StageMirrors, _ job: Job, _ tools: RunTools) -> Row {
    Row(
      name: mirrors.events.stage, needs: [],
      stage: IndexStage(
        mirrors: mirrors, outputs: job.configuration.outputs, cache: tools.cache,
        signingKey: job.configuration.packages.signingKey, signatures: tools.signatures), product: "the index"
    )
  }

  private static func images(_ wheels: StageMirrors, _ job: Job, _ tools: RunTools) -> [Row] {
    let events = tools.events(.images)
    let own = Row(
      name: .images,
      // The wheels are for the image that is assembled, which is made last.
      needs: needs(of: .images, job.configuration).filter { $0 != .pypi }.map(Need.findings),
      stage: ImagesStage(
        job: job, kubespray: tools.kubespray, charts: tools.charts, client: tools.images.client,
        events: events))
    guard !job.configuration.images.skip, AnsibleImage.isAssembled(job.configuration) else { return [own] }
    let assembly = AssemblyStage(
      job: job, cache: tools.cache, kubespray: tools.kubespray, wheels: wheels, client: tools.images.client,
      progress: tools.downloads.progress, events: events, keeper: tools.lock)
    // It is made of what lies in the bundle, where these stages do not run.
    let needs = [StageName.pypi, .repo].filter(job.includes).map(Need.files)
    return [own, Row(name: .images, needs: needs, stage: assembly, product: "the image with Ansible")]
  }
}
