//! Starts and stops job steps through a launcher that outlives the agent.
