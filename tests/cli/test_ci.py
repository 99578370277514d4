"""What is read of each CI tool's documented variables."""

import pytest

from api.cli.ci import Facts, detect

GITHUB = {
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/payments",
    "GITHUB_RUN_ID": "8812",
    "GITHUB_RUN_NUMBER": "41",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_JOB": "deploy",
    "GITHUB_ACTOR": "octocat",
    "GITHUB_SHA": "ffac537e6cbbf934b08745a378932722df287a53",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_REF_NAME": "main",
    "GITHUB_REF_TYPE": "branch",
}
GITLAB = {
    "CI": "true",
    "GITLAB_CI": "true",
    "CI_PIPELINE_ID": "1234567",
    "CI_PIPELINE_URL": "https://gitlab.example.com/acme/payments/-/pipelines/1234567",
    "CI_JOB_ID": "8876543",
    "CI_JOB_NAME": "deploy",
    "CI_JOB_URL": "https://gitlab.example.com/acme/payments/-/jobs/8876543",
    "CI_COMMIT_SHA": "1ecfd275763eff1d6b4844ea3168962458c9f27a",
    "CI_COMMIT_TIMESTAMP": "2026-11-22T20:40:11+01:00",
    "CI_COMMIT_AUTHOR": "Ada Lovelace <ada@example.com>",
    "CI_COMMIT_TAG": "1.5.0",
    "CI_COMMIT_REF_NAME": "1.5.0",
}
JENKINS = {
    "JENKINS_URL": "https://ci.example.com/",
    "BUILD_TAG": "jenkins-acme-payments-main-77",
    "BUILD_URL": "https://ci.example.com/job/acme/job/payments/job/main/77/",
    "BUILD_NUMBER": "77",
    "JOB_NAME": "acme/payments/main",
    "BRANCH_NAME": "main",
    "STAGE_NAME": "Deploy",
    "GIT_COMMIT": "ce9a3c1404e8c91be604088670e93434c4253f03",
    "GIT_BRANCH": "origin/main",
}
AZURE = {
    "TF_BUILD": "True",
    "SYSTEM_COLLECTIONURI": "https://dev.azure.com/acme/",
    "SYSTEM_TEAMPROJECT": "Pay Ments",
    "BUILD_BUILDID": "5120",
    "SYSTEM_STAGEATTEMPT": "1",
    "SYSTEM_JOBATTEMPT": "3",
    "SYSTEM_JOBID": "12f1170f-54f2-53f3-20dd-22fc7dff55f9",
    "BUILD_SOURCEBRANCH": "refs/tags/v1.5.0",
    "BUILD_SOURCEBRANCHNAME": "v1.5.0",
    "BUILD_SOURCEVERSION": "7a8cbd1e4d2bd4ab8fe0a2b5b9b3bb0fbbf5d9a1",
    "BUILD_SOURCEVERSIONAUTHOR": "Ada Lovelace",
}
BITBUCKET = {
    "CI": "true",
    "BITBUCKET_BUILD_NUMBER": "412",
    "BITBUCKET_REPO_FULL_NAME": "acme/payments",
    "BITBUCKET_GIT_HTTP_ORIGIN": "http://bitbucket.org/acme/payments",
    "BITBUCKET_PIPELINE_UUID": "{1f4a34b2-6aa0-4a0c-8a07-000000000001}",
    "BITBUCKET_STEP_UUID": "{1f4a34b2-6aa0-4a0c-8a07-000000000002}",
    "BITBUCKET_STEP_RUN_NUMBER": "1",
    "BITBUCKET_COMMIT": "7f777ed95a19224294949e1b4ce56bbffcb1fe9f",
    "BITBUCKET_BRANCH": "main",
}
CIRCLECI = {
    "CI": "true",
    "CIRCLECI": "true",
    "CIRCLE_BUILD_URL": "https://circleci.com/gh/acme/payments/907",
    "CIRCLE_BUILD_NUM": "907",
    "CIRCLE_JOB": "deploy",
    "CIRCLE_NODE_INDEX": "0",
    "CIRCLE_PIPELINE_ID": "b9c6a3d2-0000-4000-8000-000000000001",
    "CIRCLE_WORKFLOW_ID": "b9c6a3d2-0000-4000-8000-000000000002",
    "CIRCLE_SHA1": "4a1b8d3b0c3d5e9e8b7a6c5d4e3f2a1b0c9d8e7f",
    "CIRCLE_BRANCH": "main",
    "CIRCLE_USERNAME": "octocat",
}

EXPECTED = [
    (
        GITHUB,
        Facts(
            tool="github",
            source="https://github.com/acme/payments/actions/runs/8812",
            run="run-8812",
            attempt="run-8812-2",
            job="run-8812-2-deploy",
            build_url="https://github.com/acme/payments/actions/runs/8812/attempts/2",
            commit="ffac537e6cbbf934b08745a378932722df287a53",
            branch="main",
        ),
    ),
    (
        GITLAB,
        Facts(
            tool="gitlab",
            source="https://gitlab.example.com/acme/payments/-/pipelines/1234567",
            run="pipeline-1234567",
            attempt="job-8876543",
            job="job-8876543",
            build_url="https://gitlab.example.com/acme/payments/-/jobs/8876543",
            commit="1ecfd275763eff1d6b4844ea3168962458c9f27a",
            committed_at="2026-11-22T20:40:11+01:00",
            author="Ada Lovelace <ada@example.com>",
            tag="1.5.0",
        ),
    ),
    (
        JENKINS,
        Facts(
            tool="jenkins",
            source="https://ci.example.com/job/acme/job/payments/job/main/77/",
            run="jenkins-acme-payments-main-77",
            attempt="jenkins-acme-payments-main-77",
            job="jenkins-acme-payments-main-77-Deploy",
            build_url="https://ci.example.com/job/acme/job/payments/job/main/77/",
            commit="ce9a3c1404e8c91be604088670e93434c4253f03",
            branch="main",
        ),
    ),
    (
        AZURE,
        Facts(
            tool="azure",
            source="https://dev.azure.com/acme/Pay%20Ments/_build/results?buildId=5120",
            run="build-5120",
            attempt="build-5120-1-3",
            job="build-5120-1-3-12f1170f-54f2-53f3-20dd-22fc7dff55f9",
            build_url="https://dev.azure.com/acme/Pay%20Ments/_build/results?buildId=5120",
            commit="7a8cbd1e4d2bd4ab8fe0a2b5b9b3bb0fbbf5d9a1",
            author="Ada Lovelace",
            tag="v1.5.0",
        ),
    ),
    (
        BITBUCKET,
        Facts(
            tool="bitbucket",
            source="http://bitbucket.org/acme/payments/pipelines/results/412",
            run="pipeline-412",
            attempt="pipeline-412-1",
            job="pipeline-412-1-1f4a34b2-6aa0-4a0c-8a07-000000000002",
            build_url="http://bitbucket.org/acme/payments/pipelines/results/412",
            commit="7f777ed95a19224294949e1b4ce56bbffcb1fe9f",
            branch="main",
        ),
    ),
    (
        CIRCLECI,
        Facts(
            tool="circleci",
            source="https://circleci.com/gh/acme/payments/907",
            run="pipeline-b9c6a3d2-0000-4000-8000-000000000001",
            attempt="workflow-b9c6a3d2-0000-4000-8000-000000000002",
            job="workflow-b9c6a3d2-0000-4000-8000-000000000002-907-0",
            build_url="https://circleci.com/gh/acme/payments/907",
            commit="4a1b8d3b0c3d5e9e8b7a6c5d4e3f2a1b0c9d8e7f",
            branch="main",
        ),
    ),
]


@pytest.mark.parametrize("environ,facts", EXPECTED, ids=[facts.tool for _, facts in EXPECTED])
def test_a_tools_own_variables_are_understood(environ, facts):
    """Values as each tool's documentation shows them."""
    assert detect(environ) == facts


def test_outside_of_ci_nothing_is_known():
    """CI=true alone says nothing; a shell with a stray variable is no job."""
    assert detect({"CI": "true", "PATH": "/bin", "GIT_COMMIT": "abc", "BUILD_NUMBER": "7"}) == Facts()


RERUN = [
    (GITHUB, {"GITHUB_RUN_ATTEMPT": "3"}),
    (GITLAB, {"CI_JOB_ID": "8876599"}),
    (JENKINS, {"BUILD_TAG": "jenkins-acme-payments-main-78"}),
    (AZURE, {"SYSTEM_JOBATTEMPT": "4"}),
    (AZURE, {"SYSTEM_STAGEATTEMPT": "2"}),
    (BITBUCKET, {"BITBUCKET_STEP_RUN_NUMBER": "2"}),
    (CIRCLECI, {"CIRCLE_WORKFLOW_ID": "b9c6a3d2-0000-4000-8000-000000000003"}),
]


@pytest.mark.parametrize("environ,change", RERUN)
def test_a_rerun_is_another_job_and_attempt(environ, change):
    """What a re-run records is new."""
    before, after = detect(environ), detect({**environ, **change})
    assert before.job != after.job
    assert before.attempt != after.attempt


@pytest.mark.parametrize(
    "environ,change",
    [each for each in RERUN if "BUILD_TAG" not in each[1]],
)
def test_a_rerun_keeps_the_run(environ, change):
    """A release that one job began and a re-run job completes stays one release. (Jenkins has no re-run, only builds.)"""
    assert detect(environ).run == detect({**environ, **change}).run


def test_jobs_of_one_run_differ():
    """Two jobs that record the same thing have both recorded it."""
    other = detect({**GITHUB, "GITHUB_JOB": "deploy-eu"})
    assert other.job != detect(GITHUB).job
    assert other.attempt == detect(GITHUB).attempt


def test_the_version_is_the_tag_then_the_commit_then_the_branch():
    """A branch moves, so it is the last resort."""
    assert detect(GITLAB).version == "1.5.0"
    assert detect(GITHUB).version == GITHUB["GITHUB_SHA"]
    assert Facts(branch="main").version == "main"
    assert Facts().version is None


def test_a_variable_that_is_set_and_empty_is_not_known():
    """Jenkins and GitLab set some variables empty."""
    facts = detect({**GITLAB, "CI_COMMIT_TAG": "", "CI_COMMIT_AUTHOR": " ", "CI_COMMIT_BRANCH": "main"})
    assert (facts.tag, facts.author, facts.branch) == (None, None, "main")


def test_a_missing_variable_makes_no_half_names():
    """A source or an id with a hole in it would be shared by strangers."""
    facts = detect({"GITHUB_ACTIONS": "true", "GITHUB_SERVER_URL": "https://github.com"})
    assert (facts.source, facts.run, facts.attempt, facts.job, facts.build_url) == (None,) * 5


def test_jenkins_without_an_address_of_its_own_still_has_a_source():
    """BUILD_URL is there only where an administrator set Jenkins' URL."""
    facts = detect({"BUILD_TAG": "jenkins-my app-7", "JOB_NAME": "my app", "BUILD_NUMBER": "7"})
    assert facts.source == "jenkins-my%20app-7"
    assert facts.build_url is None
