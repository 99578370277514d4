"""
What a CI tool tells its jobs about themselves, read from the environment.

Pure: `detect` looks at the variables it is given and at nothing else. Only
what a tool documents is taken, and nothing is guessed: who started a run is
not who wrote the commit, so `author` is known for few tools.

Three names identify the work, each stable for as long as the thing it names:
`run` (kept when a failed job is run again), `attempt` (new with each such
re-run) and `job`. A step that is retried within a job finds all three
unchanged, so what it records again is an identical duplicate.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

Environ = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of this CI job; all None outside of CI. `source` is a URI fit for CloudEvents."""

    tool: str | None = None
    source: str | None = None
    run: str | None = None
    attempt: str | None = None
    job: str | None = None
    build_url: str | None = None
    commit: str | None = None
    committed_at: str | None = None
    author: str | None = None
    tag: str | None = None
    branch: str | None = None

    @property
    def version(self) -> str | None:
        """What stands in for a version nobody named: the tag, else the commit, and only then a branch, which moves."""
        return self.tag or self.commit or self.branch


def detect(environ: Environ) -> Facts:
    for is_here, read in _TOOLS:
        if is_here(environ):
            return read(environ)
    return Facts()


def _github(environ: Environ) -> Facts:
    """https://docs.github.com/actions/reference/workflows-and-actions/variables."""
    get = _getter(environ)
    run, attempt = get("GITHUB_RUN_ID"), get("GITHUB_RUN_ATTEMPT") or "1"
    source = _url(get("GITHUB_SERVER_URL"), get("GITHUB_REPOSITORY"), "actions/runs", run)
    name = get("GITHUB_REF_NAME")
    return Facts(
        tool="github",
        source=source,
        run=_name("run", run),
        attempt=_name("run", run, attempt),
        job=_name("run", run, attempt, get("GITHUB_JOB")),
        build_url=_url(source, "attempts", attempt),
        commit=get("GITHUB_SHA"),
        tag=name if get("GITHUB_REF_TYPE") == "tag" else None,
        branch=name if get("GITHUB_REF_TYPE") == "branch" else None,
    )


def _gitlab(environ: Environ) -> Facts:
    """
    https://docs.gitlab.com/ci/variables/predefined_variables/.

    A retried job keeps its pipeline and gets an id of its own, so the job is the attempt.
    """
    get = _getter(environ)
    job = _name("job", get("CI_JOB_ID"))
    return Facts(
        tool="gitlab",
        source=get("CI_PIPELINE_URL") or get("CI_JOB_URL"),
        run=_name("pipeline", get("CI_PIPELINE_ID")),
        attempt=job,
        job=job,
        build_url=get("CI_JOB_URL"),
        commit=get("CI_COMMIT_SHA"),
        committed_at=get("CI_COMMIT_TIMESTAMP"),
        author=get("CI_COMMIT_AUTHOR"),
        tag=get("CI_COMMIT_TAG"),
        branch=get("CI_COMMIT_BRANCH"),
    )


def _jenkins(environ: Environ) -> Facts:
    """
    The list under /env-vars.html of any Jenkins, with the Git plugin's variables.

    BUILD_URL is there only where Jenkins knows its own address.
    """
    get = _getter(environ)
    build = get("BUILD_TAG") or _name("jenkins", get("JOB_NAME"), get("BUILD_NUMBER"))
    return Facts(
        tool="jenkins",
        source=get("BUILD_URL") or (build and quote(build, safe="/")),
        run=build,
        attempt=build,
        job=_name(build, get("STAGE_NAME")) or build,
        build_url=get("BUILD_URL"),
        commit=get("GIT_COMMIT"),
        author=get("CHANGE_AUTHOR"),
        tag=get("TAG_NAME"),
        branch=get("BRANCH_NAME") or get("GIT_LOCAL_BRANCH") or get("GIT_BRANCH"),
    )


def _azure(environ: Environ) -> Facts:
    """https://learn.microsoft.com/azure/devops/pipelines/build/variables."""
    get = _getter(environ)
    build = get("BUILD_BUILDID")
    project = _url(get("SYSTEM_COLLECTIONURI"), quote(get("SYSTEM_TEAMPROJECT") or ""))
    source = f"{project}/_build/results?buildId={build}" if project and build else None
    attempts = (get("SYSTEM_STAGEATTEMPT") or "1", get("SYSTEM_JOBATTEMPT") or "1")
    ref = get("BUILD_SOURCEBRANCH") or ""
    return Facts(
        tool="azure",
        source=source,
        run=_name("build", build),
        attempt=_name("build", build, *attempts),
        job=_name("build", build, *attempts, get("SYSTEM_JOBID")),
        build_url=source,
        commit=get("BUILD_SOURCEVERSION"),
        author=get("BUILD_SOURCEVERSIONAUTHOR"),
        tag=_after("refs/tags/", ref),
        branch=_after("refs/heads/", ref),
    )


def _bitbucket(environ: Environ) -> Facts:
    """https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/."""
    get = _getter(environ)
    number, again = get("BITBUCKET_BUILD_NUMBER"), get("BITBUCKET_STEP_RUN_NUMBER") or "1"
    origin = get("BITBUCKET_GIT_HTTP_ORIGIN") or _url("https://bitbucket.org", get("BITBUCKET_REPO_FULL_NAME"))
    source = _url(origin, "pipelines/results", number)
    return Facts(
        tool="bitbucket",
        source=source,
        run=_name("pipeline", number),
        attempt=_name("pipeline", number, again),
        job=_name("pipeline", number, again, (get("BITBUCKET_STEP_UUID") or "").strip("{}")),
        build_url=source,
        commit=get("BITBUCKET_COMMIT"),
        tag=get("BITBUCKET_TAG"),
        branch=get("BITBUCKET_BRANCH"),
    )


def _circleci(environ: Environ) -> Facts:
    """
    https://circleci.com/docs/reference/variables/.

    A re-run is a new workflow of the same pipeline; nodes that share a job run the same steps side by side.
    """
    get = _getter(environ)
    workflow = get("CIRCLE_WORKFLOW_ID")
    return Facts(
        tool="circleci",
        source=get("CIRCLE_BUILD_URL"),
        run=_name("pipeline", get("CIRCLE_PIPELINE_ID")) or _name("workflow", workflow),
        attempt=_name("workflow", workflow),
        job=_name("workflow", workflow, get("CIRCLE_BUILD_NUM"), get("CIRCLE_NODE_INDEX") or "0"),
        build_url=get("CIRCLE_BUILD_URL"),
        commit=get("CIRCLE_SHA1"),
        tag=get("CIRCLE_TAG"),
        branch=get("CIRCLE_BRANCH"),
    )


_TOOLS: tuple[tuple[Callable[[Environ], bool], Callable[[Environ], Facts]], ...] = (
    (lambda environ: environ.get("GITHUB_ACTIONS") == "true", _github),
    (lambda environ: environ.get("GITLAB_CI") == "true", _gitlab),
    (lambda environ: environ.get("TF_BUILD", "").lower() == "true", _azure),
    (lambda environ: environ.get("CIRCLECI") == "true", _circleci),
    (lambda environ: "BITBUCKET_BUILD_NUMBER" in environ, _bitbucket),
    (lambda environ: environ.get("BUILD_TAG", "").startswith("jenkins-") or "JENKINS_URL" in environ, _jenkins),
)


def _getter(environ: Environ) -> Callable[[str], str | None]:
    """Reads a variable; one that is set and empty is not known."""
    return lambda name: environ.get(name, "").strip() or None


def _url(*parts: str | None) -> str | None:
    known = [part.strip("/") for part in parts if part]
    return "/".join(known) if len(known) == len(parts) else None


def _name(*parts: str | None) -> str | None:
    known = [part for part in parts if part]
    return "-".join(known) if len(known) == len(parts) else None


def _after(prefix: str, text: str) -> str | None:
    return text.removeprefix(prefix) if text.startswith(prefix) else None
