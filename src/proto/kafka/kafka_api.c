// SPDX-License-Identifier: Apache-2.0
/* The APIs and errors of Kafka, by their numbers (the protocol guide). */
#include "proto/kafka/kafka_message.h"

#define API(name_, flexible_, throttled_, tells_, groups_)                                         \
    {                                                                                              \
        .name = name_, .flexible = flexible_, .throttled = throttled_, .tells = tells_,            \
        .groups = groups_                                                                          \
    }

static const struct kafka_api apis[KAFKA_APIS] = {
    [0] = API("Produce", 9, -1, false, false),
    [1] = API("Fetch", 12, 1, false, false),
    [2] = API("ListOffsets", 6, 2, false, false),
    [3] = API("Metadata", 9, 3, false, false),
    [4] = API("LeaderAndIsr", 4, -1, true, false),
    [5] = API("StopReplica", 2, -1, true, false),
    [6] = API("UpdateMetadata", 6, -1, true, false),
    [7] = API("ControlledShutdown", 3, -1, true, false),
    [8] = API("OffsetCommit", 8, 3, false, true),
    [9] = API("OffsetFetch", 6, 3, false, true),
    [10] = API("FindCoordinator", 3, 1, true, true),
    [11] = API("JoinGroup", 6, 2, true, true),
    [12] = API("Heartbeat", 4, 1, true, true),
    [13] = API("LeaveGroup", 4, 1, true, true),
    [14] = API("SyncGroup", 4, 1, true, true),
    [15] = API("DescribeGroups", 5, 1, false, false),
    [16] = API("ListGroups", 3, 1, true, false),
    [17] = API("SaslHandshake", -1, -1, true, false),
    [18] = API("ApiVersions", 3, -1, true, false),
    [19] = API("CreateTopics", 5, 2, false, false),
    [20] = API("DeleteTopics", 4, 1, false, false),
    [21] = API("DeleteRecords", 2, 0, false, false),
    [22] = API("InitProducerId", 2, 0, true, false),
    [23] = API("OffsetForLeaderEpoch", 4, 2, false, false),
    [24] = API("AddPartitionsToTxn", 3, 0, false, false),
    [25] = API("AddOffsetsToTxn", 3, 0, true, false),
    [26] = API("EndTxn", 3, 0, true, false),
    [27] = API("WriteTxnMarkers", 1, -1, false, false),
    [28] = API("TxnOffsetCommit", 3, 0, false, false),
    [29] = API("DescribeAcls", 2, 0, true, false),
    [30] = API("CreateAcls", 2, 0, false, false),
    [31] = API("DeleteAcls", 2, 0, false, false),
    [32] = API("DescribeConfigs", 4, 0, false, false),
    [33] = API("AlterConfigs", 2, 0, false, false),
    [34] = API("AlterReplicaLogDirs", 2, 0, false, false),
    [35] = API("DescribeLogDirs", 2, 0, false, false),
    [36] = API("SaslAuthenticate", 2, -1, true, false),
    [37] = API("CreatePartitions", 2, 0, false, false),
    [38] = API("CreateDelegationToken", 2, -1, true, false),
    [39] = API("RenewDelegationToken", 2, -1, true, false),
    [40] = API("ExpireDelegationToken", 2, -1, true, false),
    [41] = API("DescribeDelegationToken", 2, -1, true, false),
    [42] = API("DeleteGroups", 2, 0, false, false),
    [43] = API("ElectLeaders", 2, 0, false, false),
    [44] = API("IncrementalAlterConfigs", 1, 0, false, false),
    [45] = API("AlterPartitionReassignments", 0, 0, true, false),
    [46] = API("ListPartitionReassignments", 0, 0, true, false),
    [47] = API("OffsetDelete", -1, -1, true, true),
    [48] = API("DescribeClientQuotas", 1, 0, true, false),
    [49] = API("AlterClientQuotas", 1, 0, false, false),
    [50] = API("DescribeUserScramCredentials", 0, 0, true, false),
    [51] = API("AlterUserScramCredentials", 0, 0, false, false),
    [57] = API("UpdateFeatures", 0, 0, true, false),
    [60] = API("DescribeCluster", 0, 0, true, false),
    [61] = API("DescribeProducers", 0, 0, false, false),
    [65] = API("DescribeTransactions", 0, 0, false, false),
    [66] = API("ListTransactions", 0, 0, true, false),
    [67] = API("AllocateProducerIds", 0, 0, true, false),
    [68] = API("ConsumerGroupHeartbeat", 0, 0, true, true),
    [69] = API("ConsumerGroupDescribe", 0, 0, false, false),
    [71] = API("GetTelemetrySubscriptions", 0, 0, true, false),
    [72] = API("PushTelemetry", 0, 0, true, false),
    [74] = API("ListClientMetricsResources", 0, 0, true, false),
};

const struct kafka_api *kafka_api_of(unsigned key)
{
    return key < KAFKA_APIS && apis[key].name != NULL ? &apis[key] : NULL;
}

const char *kafka_error_name(int code)
{
    static const char *const names[] = {
        "NONE", "OFFSET_OUT_OF_RANGE", "CORRUPT_MESSAGE", "UNKNOWN_TOPIC_OR_PARTITION",
        "INVALID_FETCH_SIZE", "LEADER_NOT_AVAILABLE", "NOT_LEADER_OR_FOLLOWER", "REQUEST_TIMED_OUT",
        "BROKER_NOT_AVAILABLE", "REPLICA_NOT_AVAILABLE", "MESSAGE_TOO_LARGE",
        "STALE_CONTROLLER_EPOCH", "OFFSET_METADATA_TOO_LARGE", "NETWORK_EXCEPTION",
        "COORDINATOR_LOAD_IN_PROGRESS", "COORDINATOR_NOT_AVAILABLE", "NOT_COORDINATOR",
        "INVALID_TOPIC_EXCEPTION", "RECORD_LIST_TOO_LARGE", "NOT_ENOUGH_REPLICAS",
        "NOT_ENOUGH_REPLICAS_AFTER_APPEND", "INVALID_REQUIRED_ACKS", "ILLEGAL_GENERATION",
        "INCONSISTENT_GROUP_PROTOCOL", "INVALID_GROUP_ID", "UNKNOWN_MEMBER_ID",
        "INVALID_SESSION_TIMEOUT", "REBALANCE_IN_PROGRESS", "INVALID_COMMIT_OFFSET_SIZE",
        "TOPIC_AUTHORIZATION_FAILED", "GROUP_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED",
        "INVALID_TIMESTAMP", "UNSUPPORTED_SASL_MECHANISM", "ILLEGAL_SASL_STATE",
        "UNSUPPORTED_VERSION", "TOPIC_ALREADY_EXISTS", "INVALID_PARTITIONS",
        "INVALID_REPLICATION_FACTOR", "INVALID_REPLICA_ASSIGNMENT", "INVALID_CONFIG",
        "NOT_CONTROLLER", "INVALID_REQUEST", "UNSUPPORTED_FOR_MESSAGE_FORMAT", "POLICY_VIOLATION",
        "OUT_OF_ORDER_SEQUENCE_NUMBER", "DUPLICATE_SEQUENCE_NUMBER", "INVALID_PRODUCER_EPOCH",
        "INVALID_TXN_STATE", "INVALID_PRODUCER_ID_MAPPING", "INVALID_TRANSACTION_TIMEOUT",
        "CONCURRENT_TRANSACTIONS", "TRANSACTION_COORDINATOR_FENCED",
        "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "SECURITY_DISABLED", "OPERATION_NOT_ATTEMPTED",
        "KAFKA_STORAGE_ERROR", "LOG_DIR_NOT_FOUND", "SASL_AUTHENTICATION_FAILED",
    };
    if (code < 0) {
        return code == -1 ? "UNKNOWN_SERVER_ERROR" : NULL;
    }
    return (size_t)code < sizeof names / sizeof *names ? names[code] : NULL;
}

const char *kafka_compression_name(unsigned code)
{
    static const char *const names[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    return code < sizeof names / sizeof *names ? names[code] : NULL;
}
